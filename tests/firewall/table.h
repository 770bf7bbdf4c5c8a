/* What tests and benchmarks alone do with the table: compare a reading with a list, and remove it. */
#ifndef TEST_FIREWALL_TABLE_H
#define TEST_FIREWALL_TABLE_H

#include <errno.h>

#include "firewall/intact.h"
#include "firewall/netlink.h"

/* Pure. */
static inline int firewall_diff(struct firewall_changes *out, const struct allowlist *wanted,
	const struct firewall_state *observed, instant_t now)
{
	struct diff_span late;

	return diff_at(out, &late, wanted, observed, &(struct diff_moment){.now_ms = now * 1000});
}

/* 0 also without a table; -EPERM of a reader. */
static inline int firewall_remove(struct firewall *f)
{
	struct batch b;
	int rc;

	if (f->reader)
		return -EPERM;
	reading_drop(f);
	rc = query_table(f);
	if (rc == -ENOENT)
		return 0;
	rc = rc == 0 ? batch_begin(&b, f, 0, false) : rc;
	if (rc < 0)
		return rc;
	rc = batch_delete(&b, NFT_MSG_DELTABLE, "deleting the table", "");
	if (rc == 0)
		rc = batch_commit(&b);
	batch_free(&b);
	f->table_flags = f->table_owner = 0;
	return rc == -ENOENT ? 0 : rc;
}

#endif
