/* The revision of the journal that was read: tells whether it has changed since, by this connection or by anybody. */
#include "curfew/state_tables.h"
#include "journal/database.h"

#include <errno.h>
#include <sys/stat.h>

int journal_revision_read(struct journal_revision *out, struct journal *j)
{
	struct journal_revision m = {.opened = j->number};
	struct stat st;

	/* What is read within a transaction may be rolled back. */
	if (!sqlite3_get_autocommit(j->db))
		return -EBUSY;
	if (stat(j->path, &st) < 0)
		return -errno;
	/* Counts the commits of others; those of this connection are among the changed rows. */
	int rc = database_number(&m.committed, j, "PRAGMA data_version", 0);
	if (rc)
		return rc;
	m.changed = sqlite3_total_changes64(j->db);
	m.inode = st.st_ino;
	m.size = st.st_size;
	m.changed_ns = st.st_mtim.tv_sec * INT64_C(1000000000) + st.st_mtim.tv_nsec;
	*out = m;
	return 0;
}

bool journal_revision_equal(const struct journal_revision *a, const struct journal_revision *b)
{
	return a->opened == b->opened && a->changed == b->changed && a->committed == b->committed &&
	       a->size == b->size && a->changed_ns == b->changed_ns && a->inode == b->inode;
}
