/* The journal's files, through the thread for work on disks: everything that writes. SQLite sees a disk that hangs as an
 * I/O error, which it handles: the transaction is rolled back when the file can be used again. Until the thread has
 * ended its work, no call touches the file, and its locks stay, so that no other process takes it for abandoned. */
#include "journal/database.h"

#include <errno.h>
#include <string.h>

#include "curfew/disk.h"

/* SQLite's own file. SQLite frees the memory of the one that it knows when it closes it, perhaps while the thread still
 * works on this one. */
struct real {
	const char *name; /* or NULL: a temporary file */
	int flags;	  /* as it was opened */
	_Alignas(max_align_t) sqlite3_file file;
};

struct file {
	sqlite3_file base;
	struct real *real;
};

static sqlite3_vfs *system_vfs;

struct file_work {
	struct disk_work work;
	struct real *real;
	int flags;
	sqlite3_int64 offset;
	int size;
	uint8_t data[];
};

static struct real *real_of(sqlite3_file *f)
{
	return ((struct file *)f)->real;
}

static void real_free(struct real *r)
{
	if (!r)
		return;
	if (r->file.pMethods)
		r->file.pMethods->xClose(&r->file);
	if (r->name)
		sqlite3_free_filename(r->name);
	free(r);
}

static struct file_work *work_new(int (*run)(struct disk_work *w), struct real *r, size_t size)
{
	struct file_work *w = calloc(1, sizeof(*w) + size);

	if (w) {
		w->work.run = run;
		w->real = r;
	}
	return w;
}

/* `hung`: the result if the disk hangs. */
static int work_run(struct file_work *w, int hung)
{
	int rc = disk_run(&w->work);

	return rc == -ETIMEDOUT ? hung : rc;
}

/* ---- an open file ---- */

static int write_run(struct disk_work *work)
{
	struct file_work *w = (struct file_work *)work;
	sqlite3_file *f = &w->real->file;

	return f->pMethods->xWrite(f, w->data, w->size, w->offset);
}

static int file_write(sqlite3_file *f, const void *data, int size, sqlite3_int64 offset)
{
	struct file_work *w = work_new(write_run, real_of(f), (size_t)size);

	if (!w)
		return SQLITE_NOMEM;
	w->size = size;
	w->offset = offset;
	memcpy(w->data, data, (size_t)size);
	return work_run(w, SQLITE_IOERR_WRITE);
}

static int truncate_run(struct disk_work *work)
{
	struct file_work *w = (struct file_work *)work;
	sqlite3_file *f = &w->real->file;

	return f->pMethods->xTruncate(f, w->offset);
}

static int file_truncate(sqlite3_file *f, sqlite3_int64 size)
{
	struct file_work *w = work_new(truncate_run, real_of(f), 0);

	if (!w)
		return SQLITE_NOMEM;
	w->offset = size;
	return work_run(w, SQLITE_IOERR_TRUNCATE);
}

static int sync_run(struct disk_work *work)
{
	struct file_work *w = (struct file_work *)work;
	sqlite3_file *f = &w->real->file;

	return f->pMethods->xSync(f, w->flags);
}

static int file_sync(sqlite3_file *f, int flags)
{
	struct file_work *w = work_new(sync_run, real_of(f), 0);

	if (!w)
		return SQLITE_NOMEM;
	w->flags = flags;
	return work_run(w, SQLITE_IOERR_FSYNC);
}

static int close_run(struct disk_work *work)
{
	struct file_work *w = (struct file_work *)work;

	real_free(w->real);
	return SQLITE_OK;
}

static int file_close(sqlite3_file *f)
{
	struct file_work *w = work_new(close_run, real_of(f), 0);

	f->pMethods = NULL;
	if (!w)
		return SQLITE_NOMEM;
	w->work.must = true;
	return work_run(w, SQLITE_OK);
}

/* What follows answers from the kernel's memory. */

static int file_read(sqlite3_file *f, void *data, int size, sqlite3_int64 offset)
{
	sqlite3_file *r = &real_of(f)->file;

	return disk_hangs() ? SQLITE_IOERR_READ : r->pMethods->xRead(r, data, size, offset);
}

static int file_size(sqlite3_file *f, sqlite3_int64 *size)
{
	sqlite3_file *r = &real_of(f)->file;

	return disk_hangs() ? SQLITE_IOERR_FSTAT : r->pMethods->xFileSize(r, size);
}

static int file_lock(sqlite3_file *f, int level)
{
	sqlite3_file *r = &real_of(f)->file;

	return disk_hangs() ? SQLITE_IOERR_LOCK : r->pMethods->xLock(r, level);
}

static int file_unlock(sqlite3_file *f, int level)
{
	sqlite3_file *r = &real_of(f)->file;

	return disk_hangs() ? SQLITE_IOERR_UNLOCK : r->pMethods->xUnlock(r, level);
}

static int file_is_reserved(sqlite3_file *f, int *out)
{
	sqlite3_file *r = &real_of(f)->file;

	return disk_hangs() ? SQLITE_IOERR_CHECKRESERVEDLOCK
			    : r->pMethods->xCheckReservedLock(r, out);
}

static int file_control(sqlite3_file *f, int what, void *argument)
{
	sqlite3_file *r = &real_of(f)->file;

	return disk_hangs() ? SQLITE_NOTFOUND : r->pMethods->xFileControl(r, what, argument);
}

static int file_sector(sqlite3_file *f)
{
	sqlite3_file *r = &real_of(f)->file;

	return r->pMethods->xSectorSize(r);
}

static int file_characteristics(sqlite3_file *f)
{
	sqlite3_file *r = &real_of(f)->file;

	return r->pMethods->xDeviceCharacteristics(r);
}

/* Version 1: without shared memory and memory maps, through which a page fault could hang. */
static const sqlite3_io_methods methods = {
	.iVersion = 1,
	.xClose = file_close,
	.xRead = file_read,
	.xWrite = file_write,
	.xTruncate = file_truncate,
	.xSync = file_sync,
	.xFileSize = file_size,
	.xLock = file_lock,
	.xUnlock = file_unlock,
	.xCheckReservedLock = file_is_reserved,
	.xFileControl = file_control,
	.xSectorSize = file_sector,
	.xDeviceCharacteristics = file_characteristics,
};

/* ---- names ---- */

static int open_run(struct disk_work *work)
{
	struct file_work *w = (struct file_work *)work;

	return system_vfs->xOpen(
		system_vfs, w->real->name, &w->real->file, w->flags, &w->real->flags);
}

static void open_release(struct disk_work *work)
{
	/* Nobody else knows the file any more. */
	if (work->abandoned)
		real_free(((struct file_work *)work)->real);
	free(work);
}

static struct real *real_new(const char *name)
{
	size_t size = sizeof(struct real) + (size_t)system_vfs->szOsFile;
	struct real *r = calloc(1, size);

	/* SQLite reads more behind a name than its end. */
	if (r && name && !(r->name = sqlite3_create_filename(name, "", "", 0, NULL))) {
		free(r);
		return NULL;
	}
	return r;
}

static int vfs_open(sqlite3_vfs *vfs, const char *name, sqlite3_file *f, int flags, int *out_flags)
{
	struct real *r = real_new(name);
	struct file_work *w = r ? work_new(open_run, r, 0) : NULL;

	(void)vfs;
	f->pMethods = NULL;
	if (!w) {
		real_free(r);
		return SQLITE_NOMEM;
	}
	w->work.release = open_release;
	w->flags = flags;
	int rc = disk_run(&w->work);
	if (rc == -ETIMEDOUT)
		return SQLITE_CANTOPEN;
	if (out_flags)
		*out_flags = r->flags;
	if (rc) {
		real_free(r);
		return rc;
	}
	((struct file *)f)->real = r;
	f->pMethods = &methods;
	return SQLITE_OK;
}

static int delete_run(struct disk_work *work)
{
	struct file_work *w = (struct file_work *)work;

	return system_vfs->xDelete(system_vfs, (const char *)w->data, w->flags);
}

static int vfs_delete(sqlite3_vfs *vfs, const char *name, int sync)
{
	size_t size = strlen(name) + 1;
	struct file_work *w = work_new(delete_run, NULL, size);

	(void)vfs;
	if (!w)
		return SQLITE_NOMEM;
	memcpy(w->data, name, size);
	w->flags = sync;
	return work_run(w, SQLITE_IOERR_DELETE);
}

const char *disk_vfs(void)
{
	static sqlite3_vfs vfs;

	if (system_vfs)
		return vfs.zName;
	sqlite3_vfs *found = sqlite3_vfs_find(NULL);
	if (!found)
		return NULL;
	vfs = *found;
	vfs.szOsFile = sizeof(struct file);
	vfs.zName = "curfew";
	vfs.pNext = NULL;
	vfs.xOpen = vfs_open;
	vfs.xDelete = vfs_delete;
	if (sqlite3_vfs_register(&vfs, 0) != SQLITE_OK)
		return NULL;
	system_vfs = found;
	return vfs.zName;
}
