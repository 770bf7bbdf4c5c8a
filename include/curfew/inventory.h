/* The inventory of what clients added to the product's databases: whose it is, whether it is in use, what it would break in
 * the cloud, and in which order it can go. Pure: records of a reading and lists of the product in, a table out. */
#ifndef CURFEW_INVENTORY_H
#define CURFEW_INVENTORY_H

#include "curfew/record.h"
#include "curfew/text.h"

/* ---- lists of what the product itself has (vendor.c) ---- */

struct vendor_item {
	const char *type, *name, *hash; /* "procedure", "dbo.p", hash of its definition or "" */
	size_t list;
};
struct vendor_list {
	const char *version;
	size_t n;
};
/* Several versions side by side; sorted by type and name. */
struct vendor {
	struct vendor_item *items;
	size_t n;
	struct vendor_list *lists;
	size_t n_lists;
	void **documents; /* own the texts */
};
/* Adds a list as `curfew inventory --vendor` writes it. 0, -ENOMEM, or -EBADMSG with words in `why`. */
int vendor_add(struct vendor *v, char why[RECORD_TEXT_MAX], const char *text, size_t size);
/* After the last list. */
void vendor_sort(struct vendor *v);
void vendor_free(struct vendor *v);

/* ---- the inventory ---- */

enum inventory_class { CLASS_PRODUCT, CLASS_CHANGED, CLASS_CLIENT, CLASS_UNKNOWN };
#define INVENTORY_CLASSES (CLASS_UNKNOWN + 1)
const char *inventory_class_name(enum inventory_class c); /* "product", "changed", ... */

/* Of what is not the product's own, most urgent last. */
enum inventory_color { COLOR_NONE, COLOR_GREEN, COLOR_YELLOW, COLOR_RED };
#define INVENTORY_COLORS (COLOR_RED + 1)
const char *inventory_color_name(enum inventory_color c); /* "none", "green", ... */

/* What the hosted product forbids or breaks; a bit each. */
enum cloud_risk {
	RISK_TRIGGER,	  /* a trigger on a table of the product's */
	RISK_WRITES,	  /* writes to a table of the product's */
	RISK_DATABASE,	  /* refers to another database */
	RISK_SERVER,	  /* refers to another server, or is a link to one */
	RISK_JOB,	  /* an Agent job */
	RISK_CLR,	  /* an assembly, or code in one */
	RISK_EXECUTE_AS,  /* acts as somebody else */
	RISK_BROKER,	  /* Service Broker */
	RISK_REMOTE_ROWS, /* OPENROWSET, OPENQUERY, OPENDATASOURCE, BULK INSERT in its text */
	RISK_EXTENDED,	  /* an extended procedure, xp_ or sp_OA in its text */
	RISK_MAIL,	  /* database mail in its text */
	RISK_DDL_TRIGGER, /* a trigger on changes of the database */
};
#define CLOUD_RISKS (RISK_DDL_TRIGGER + 1)
const char *cloud_risk_name(enum cloud_risk r);	 /* "writes-product-table" */
const char *cloud_risk_words(enum cloud_risk r); /* a sentence for people */

struct inventory_item {
	/* From the reading. `database` is "" for what belongs to the server. */
	const char *server, *database, *type, *schema, *name, *hash, *facts, *target;
	uint64_t id, parent, refers;
	bool writable;
	instant_t created, modified; /* 0: unknown */
	uint64_t rows, bytes;
	uint64_t uses;	     /* as often as the server says */
	instant_t last;	     /* seen in use; 0: never */
	const char *seen_by; /* the part that said so */
	/* Made of it. */
	const struct inventory_item *on; /* what a column, an index, or a trigger belongs to */
	const char *full;		 /* "dbo.Orders.Note" */
	enum inventory_class class;
	const char *version; /* of the list that has it; or NULL */
	enum inventory_color color;
	const char *reason;		       /* for the color; NULL for COLOR_NONE */
	unsigned risks;			       /* 1 << enum cloud_risk */
	size_t referrers;		       /* by how many others */
	const struct inventory_item *referrer; /* one of them */
	/* In which round it can be dropped, from 1 on, when all before it are gone; 0: something of the product's
	 * refers to it, or it is the product's. */
	size_t round;
	const char *decision, *replacement, *owner, *due,
		*note; /* people's own words; NULL: none */
	size_t cycle;  /* items of one number refer to each other around and around; 0: none */
};

struct inventory_edge {
	size_t from, to; /* items: `from` needs `to` */
	bool writes;
};

struct inventory_coverage {
	const char *server, *database, *part, *detail;
	enum answer seen;
	instant_t since;
};

/* A database that was asked for. */
struct inventory_database {
	const char *server, *database;
	bool read;
	const char *why; /* it was not read */
};

struct inventory {
	instant_t at;
	unsigned days; /* without use before something is red */
	struct inventory_item
		*items; /* after inventory_finish() sorted by server, database, type, and name */
	size_t n;
	struct inventory_edge *edges; /* sorted, each once */
	size_t n_edges;
	struct inventory_coverage *coverage;
	size_t n_coverage;
	struct inventory_database *databases;
	size_t n_databases;
	uint64_t round_trips;
	size_t cycles;
	const char **notices; /* what became of decisions */
	size_t n_notices;
	/* Of the reading, until inventory_finish(). */
	struct inventory_use *uses;
	size_t n_uses;
	struct inventory_named *named;
	size_t n_named;
	struct inventory_item *steps; /* of jobs: their commands are searched, and shown nowhere */
	size_t n_steps;
	size_t *by_id, *by_name; /* items in other orders */
	size_t n_by_name;
	struct inventory_chunk *chunks; /* texts */
};

/* Says that this database will be read: without records it is unread. */
int inventory_expect(struct inventory *v, const char *server, const char *database);
/* A record_fn: takes RECORD_ITEM, RECORD_USE, RECORD_REFERENCE, RECORD_COVERAGE and RECORD_END; others are ignored. 0 or
 * -ENOMEM. */
int inventory_take(void *inventory, const struct record *r);
/* Joins what was read; drops what belongs to databases that were not read whole. `vendor` NULL or without lists: whose
 * things are is unknown. 0 or -ENOMEM. */
int inventory_finish(struct inventory *v, const struct vendor *vendor);
/* Merges what people wrote into a file that inventory_print_csv() made; notices say what does not fit. 0, -ENOMEM, or -EINVAL
 * with `why`. */
int inventory_decide(struct inventory *v, const char *text, char why[256]);
void inventory_free(struct inventory *v);

/* NULL: no such part was reported. */
const struct inventory_coverage *inventory_coverage_of(
	const struct inventory *v, const char *server, const char *database, const char *part);
/* Not the product's own, and not a detail of something else that is listed. */
bool inventory_is_custom(const struct inventory_item *i);

/* The list of a clean installation, as vendor_add() reads it. 0, -EIO, or -ENOMEM. */
int vendor_write(FILE *to, const struct inventory *v, const char *version);

/* The T-SQL that drops it, for the client's own people. False: no statement can be written. */
bool inventory_drop_write(FILE *to, const struct inventory_item *i);
/* All that is decided or red, round by round, to be reviewed and run by the client's people. */
int inventory_drop_script(FILE *to, const struct inventory *v);

#endif
