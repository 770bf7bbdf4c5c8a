/* The inventory of objects that clients added to the product's databases: who owns them, whether they are in use,
 * what they would break in the cloud, and in which order they can be dropped. Pure: records, earlier samples, and the
 * product's lists in, a table out. */
#ifndef CURFEW_INVENTORY_H
#define CURFEW_INVENTORY_H

#include "curfew/record.h"
#include "curfew/samples.h"
#include "curfew/text.h"

/* ---- lists of the product's own objects (vendor.c) ---- */

struct vendor_item {
	const char *type, *name, *hash; /* "procedure", "dbo.p", hash of its definition or "" */
	size_t list;
};
struct vendor_list {
	const char *version;
	size_t n;
};
/* Lists of several versions; sorted by type and name. */
struct vendor {
	struct vendor_item *items;
	size_t n;
	struct vendor_list *lists;
	size_t n_lists;
	void **documents; /* own the strings */
};
/* Adds a list that `curfew inventory --vendor` wrote. 0, -ENOMEM, or -EBADMSG with the reason in `why`. */
int vendor_add(struct vendor *v, char why[RECORD_TEXT_MAX], const char *text, size_t size);
/* Call after the last list. */
void vendor_sort(struct vendor *v);
/* Of all lists together; "" without lists. */
#define VENDOR_FINGERPRINT 17
void vendor_fingerprint(char out[VENDOR_FINGERPRINT], const struct vendor *v);
/* The text of a list, or of decisions. NULL with errno. */
char *inventory_file(size_t *size, const char *path);
/* Reads files with lists, and sorts. 0, or negative errno with words in `why` that name the file. */
int vendor_load(struct vendor *v, char why[RECORD_TEXT_MAX], const struct strings *files);
void vendor_free(struct vendor *v);

/* ---- the inventory ---- */

enum inventory_class { CLASS_PRODUCT, CLASS_CHANGED, CLASS_CLIENT, CLASS_UNKNOWN };
#define INVENTORY_CLASSES (CLASS_UNKNOWN + 1)
const char *inventory_class_name(enum inventory_class c); /* "product", "changed", ... */

/* Of objects that are not the product's, most urgent last. */
enum inventory_color { COLOR_NONE, COLOR_GREEN, COLOR_YELLOW, COLOR_RED };
#define INVENTORY_COLORS (COLOR_RED + 1)
const char *inventory_color_name(enum inventory_color c); /* "none", "green", ... */

/* What the hosted product forbids, or what would break there. Bit numbers. */
enum cloud_risk {
	RISK_TRIGGER,	  /* a trigger on a table of the product */
	RISK_WRITES,	  /* writes to a table of the product */
	RISK_DATABASE,	  /* refers to another database */
	RISK_SERVER,	  /* refers to another server, or is a linked server */
	RISK_JOB,	  /* an Agent job */
	RISK_CLR,	  /* an assembly, or code in one */
	RISK_EXECUTE_AS,  /* EXECUTE AS another user */
	RISK_BROKER,	  /* Service Broker */
	RISK_REMOTE_ROWS, /* OPENROWSET, OPENQUERY, OPENDATASOURCE, BULK INSERT in its text */
	RISK_EXTENDED,	  /* an extended procedure, xp_ or sp_OA in its text */
	RISK_MAIL,	  /* database mail in its text */
	RISK_DDL_TRIGGER, /* a DDL trigger of the database */
};
#define CLOUD_RISKS (RISK_DDL_TRIGGER + 1)
const char *cloud_risk_name(enum cloud_risk r);	 /* "writes-product-table" */
const char *cloud_risk_words(enum cloud_risk r); /* a sentence */

struct inventory_item {
	/* As read. `database` is "" for objects of the server. */
	const char *server, *database, *type, *schema, *name, *hash, *facts, *target;
	uint64_t id, parent, refers;
	bool writable;
	instant_t created, modified; /* 0: unknown */
	uint64_t rows, bytes;
	uint64_t uses;	     /* as counted by the server */
	instant_t last;	     /* last time seen in use; 0: never */
	const char *seen_by; /* which source of evidence saw it */
	/* Computed. */
	const struct inventory_item
		*on;	  /* the object that a column, an index, or a trigger belongs to */
	const char *full; /* "dbo.Orders.Note" */
	enum inventory_class class;
	const char *version; /* of the product's list that has it, or NULL */
	enum inventory_color color;
	instant_t watched;  /* since when use of it would have been seen; 0: not surely */
	const char *reason; /* of the color; NULL for COLOR_NONE */
	unsigned risks;	    /* 1 << enum cloud_risk */
	/* The database with which it is counted: for a job or a linked server the first that it works for; "" for none. */
	const char *place;
	bool elsewhere;	  /* a job of a database that is not in this inventory */
	size_t referrers; /* number of objects that refer to it */
	const struct inventory_item *referrer; /* one of them */
	/* The round, from 1, in which it can be dropped, when those of earlier rounds are gone; 0: never, because an
	 * object of the product refers to it, or it is the product's own. */
	size_t round;
	const char *decision, *replacement, *owner, *due, *note; /* written by people; NULL: none */
	size_t cycle; /* items with the same number refer to each other in a cycle; 0: none */
};

struct inventory_edge {
	size_t from, to; /* indexes of items: `from` needs `to` */
	bool writes;
};

struct inventory_coverage {
	const char *server, *database, *part, *detail;
	enum answer seen;
	instant_t since;
};

/* A database to be read. */
struct inventory_database {
	const char *server, *database;
	bool read;
	bool alone;	 /* its client is the only one on this server */
	const char *why; /* why it was not read */
};

struct inventory {
	instant_t at;
	unsigned days; /* days without use before an object is red */
	const struct samples
		*samples; /* of earlier readings, with decisions; borrowed, may be NULL */
	/* Names under which watches are saved. Other lists of the product make other objects custom, and other names. */
	char parts[2][RECORD_WORD_MAX];
	struct inventory_item
		*items; /* sorted by server, database, type, and name, after inventory_finish() */
	size_t n;
	struct inventory_edge *edges; /* sorted, unique */
	size_t n_edges;
	struct inventory_coverage *coverage;
	size_t n_coverage;
	struct inventory_database *databases;
	size_t n_databases;
	uint64_t round_trips;
	size_t cycles;
	const char **notices; /* about decisions */
	size_t n_notices;
	/* Intermediate data until inventory_finish(). */
	struct inventory_use *uses;
	size_t n_uses;
	struct inventory_named *named;
	size_t n_named;
	struct inventory_item *steps; /* job steps: their commands are searched and never shown */
	size_t n_steps;
	/* Constraints and indexes, once for each column: `id` is the column, of table `refers`; `parent` has the constraint. */
	struct inventory_item *dependents;
	size_t n_dependents;
	size_t *by_id, *by_name; /* items in other orders */
	size_t n_by_name;
	struct inventory_chunk *chunks; /* texts */
};

/* Announces that this database will be read. Without records it counts as unread. `alone`: the client is the only one on
 * the server, so that jobs and linked servers that belong to no database are counted as the client's. */
int inventory_expect(struct inventory *v, const char *server, const char *database, bool alone);
/* A record_fn for RECORD_ITEM, RECORD_USE, RECORD_REFERENCE, RECORD_COVERAGE, and RECORD_END; ignores others. 0 or
 * -ENOMEM. */
int inventory_take(void *inventory, const struct record *r);
/* Joins what was read; drops objects of databases that were not read completely. Without lists in `vendor`, or with
 * NULL, classes are unknown. 0 or -ENOMEM. */
int inventory_finish(struct inventory *v, const struct vendor *vendor);
/* Merges the decisions in an edited file of inventory_print_csv() over earlier decisions, where a cell is not empty;
 * "none" takes a decision back. Notices name what does not fit and what changed. 0, -ENOMEM, or -EINVAL with `why`. */
int inventory_decide(struct inventory *v, const char *text, char why[256]);
void inventory_free(struct inventory *v);

/* ---- what the journal keeps until the next reading ---- */

/* Of a database that was read, after inventory_finish(). The strings are borrowed; free with inventory_sample_clear(). More
 * uses than can be kept: none of its watches, because what is not remembered was not watched. 0 or -ENOMEM. */
int inventory_sample(
	struct sample *out, const struct inventory *v, const char *server, const char *database);
/* The decisions of a database, with those of objects that are gone. The same rules. */
int inventory_decisions(
	struct sample *out, const struct inventory *v, const char *server, const char *database);
void inventory_sample_clear(struct sample *s);
/* What inventory_sample() counts, of a database, of what belongs to none (""), or (NULL) of all together. */
void inventory_tally(struct sample_tally *out, const struct inventory *v, const char *server,
	const char *database);

/* To be done before go-live, or what remains after it: all but what is kept and not red. */
bool inventory_is_left(const struct inventory_item *i);
/* NULL: no such part was reported. */
const struct inventory_coverage *inventory_coverage_of(
	const struct inventory *v, const char *server, const char *database, const char *part);
/* Not the product's own, and not a part of a listed object. */
bool inventory_is_custom(const struct inventory_item *i);

/* Writes the list of a clean installation for vendor_add(). 0, -EIO, or -ENOMEM. */
int vendor_write(FILE *to, const struct inventory *v, const char *version);

/* Writes the T-SQL that drops the object, for the client's own people. False: no statement is possible. */
bool inventory_drop_write(FILE *to, const struct inventory_item *i);
/* Writes a script that drops objects that are red or so decided, round by round, for review by the client's people. */
int inventory_drop_script(FILE *to, const struct inventory *v);

#endif
