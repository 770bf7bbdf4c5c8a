/* The kinds of notices, and the texts that they are made of: templates with placeholders from a small, fixed set. */
#ifndef CURFEW_NOTICE_TEMPLATE_H
#define CURFEW_NOTICE_TEMPLATE_H

#include "curfew/base.h"

/* To a person up to NOTICE_REVOKED; the rest to the account lead and the team. */
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
	NOTICE_DIGEST,
	NOTICE_ALARM,
	NOTICE_TEST,
};
#define NOTICE_KINDS (NOTICE_TEST + 1)
/* "read-only-in-7-days": also the name of a template's file, before ".txt" and ".html". */
const char *notice_kind_name(enum notice_kind k);
bool notice_kind_parse(enum notice_kind *out, const char *name);
static inline bool notice_is_personal(enum notice_kind k)
{
	return k <= NOTICE_REVOKED;
}

/* What a placeholder stands for. None is ever a secret. */
enum notice_value {
	VALUE_CLIENT,
	VALUE_TICKET,
	VALUE_NAME, /* first and last */
	VALUE_FIRST,
	VALUE_LAST,
	VALUE_LOGIN,
	VALUE_DATABASES,
	VALUE_SOURCES,
	VALUE_DATE,	  /* what the notice is about, in the client's zone */
	VALUE_IN,	  /* "7 days": how long until then */
	VALUE_DATES,	  /* what is to come, a line each */
	VALUE_CONNECTION, /* how to connect, several lines */
	VALUE_REASON,
	VALUE_LIST, /* of a digest */
	VALUE_CONTACT,
};
#define NOTICE_VALUES (VALUE_CONTACT + 1)
const char *notice_value_name(enum notice_value v);

/* A template of the operator's in the place of ours. `text` begins with "Subject: " and a blank line. */
struct notice_template {
	char *language; /* "" where a client names none */
	enum notice_kind kind;
	bool html;
	char *text;
};

/* A template is read piece by piece: text as it stands, or a placeholder. "{{" is a brace. */
struct template_piece {
	enum { PIECE_TEXT, PIECE_VALUE, PIECE_FAULT } type;
	const char *text; /* PIECE_TEXT, and the faulty placeholder */
	size_t length;
	enum notice_value value;
};
/* False at the end. */
bool template_next(struct template_piece *out, const char **p);
/* What is wrong with it and in which line, "unknown placeholder {naem}; ...", or NULL. Of plain text the subject is
 * looked at too. */
const char *template_fault(char why[512], int *line, const char *text, bool html);
/* The body of a plain text, behind the subject and the blank line. */
const char *template_body(const char *text);

#endif
