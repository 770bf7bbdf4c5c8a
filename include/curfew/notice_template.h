/* The kinds of notices, and their templates: text with placeholders from a fixed set. */
#ifndef CURFEW_NOTICE_TEMPLATE_H
#define CURFEW_NOTICE_TEMPLATE_H

#include "curfew/base.h"

/* Up to NOTICE_SHEET to a user; the others to the account lead and the team. */
enum notice_kind {
	NOTICE_OPENED,
	NOTICE_READ_ONLY_7, /* days ahead */
	NOTICE_READ_ONLY_1,
	NOTICE_READ_ONLY,
	NOTICE_STAGING_ENDS_7,
	NOTICE_STAGING_ENDS_1,
	NOTICE_ENDS_7,
	NOTICE_ENDS_1,
	NOTICE_ENDED,
	NOTICE_ADDRESS_CHANGED,
	NOTICE_DATES_MOVED,
	NOTICE_REVOKED,
	NOTICE_SHEET, /* the encrypted sheet of a handover; the last to a user */
	NOTICE_DIGEST,
	NOTICE_CUSTOM, /* what is left of a client's customizations before its go-live */
	NOTICE_ALARM,
	NOTICE_PREFLIGHT,
	NOTICE_TEST,
};
#define NOTICE_KINDS (NOTICE_TEST + 1)
/* "read-only-in-7-days". A template file has this name, with ".txt" or ".html". */
const char *notice_kind_name(enum notice_kind k);
bool notice_kind_parse(enum notice_kind *out, const char *name);

/* Placeholders. None is ever a secret. */
enum notice_value {
	VALUE_CLIENT,
	VALUE_TICKET,
	VALUE_NAME, /* first and last */
	VALUE_FIRST,
	VALUE_LAST,
	VALUE_LOGIN,
	VALUE_DATABASES,
	VALUE_SOURCES,
	VALUE_DATE,	  /* the time that the notice is about, in the client's zone */
	VALUE_IN,	  /* "7 days": the time until then */
	VALUE_DATES,	  /* the coming dates, one a line */
	VALUE_CONNECTION, /* how to connect, several lines */
	VALUE_REASON,
	VALUE_LIST, /* only in a digest */
	VALUE_HOST, /* only in an alarm: whose alarm it is */
	VALUE_CONTACT,
};
#define NOTICE_VALUES (VALUE_CONTACT + 1)

/* The operator's template for a kind. `text` begins with "Subject: " and has a blank line after it. */
struct notice_template {
	char *language; /* "": for clients without a language */
	enum notice_kind kind;
	bool html;
	char *text;
};

/* A template consists of pieces: literal text or a placeholder. "{{" is a literal brace. */
struct template_piece {
	enum { PIECE_TEXT, PIECE_VALUE, PIECE_FAULT } type;
	const char *text; /* PIECE_TEXT, or the invalid placeholder */
	size_t length;
	enum notice_value value;
};
/* Returns false at the end. */
bool template_next(struct template_piece *out, const char **p);
/* The first error and its line, for example "unknown placeholder {naem}; ...", or NULL. Checks the subject too,
 * unless the template is HTML. */
const char *template_fault(char why[512], int *line, const char *text, bool html);
/* The body of a text template: what follows the subject and the blank line. */
const char *template_body(const char *text);

#endif
