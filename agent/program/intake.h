/* What is known of a client before its file is written: by options, answers, the intake form, or a pasted text. */
#ifndef PROGRAM_INTAKE_H
#define PROGRAM_INTAKE_H

#include "curfew/program.h"

struct intake_person {
	char *first, *last, *email; /* NULL: not known */
	struct strings addresses;
};
struct intake_database {
	char *role, *server, *name;
};
struct intake {
	char *name, *ticket, *approved_by, *approved_on, *timezone, *starts,
		*go_live; /* NULL: not known */
	struct intake_database *databases;
	size_t n_databases;
	struct intake_person *people;
	size_t n_people;
};
void intake_free(struct intake *i);
/* A new one at the end, or NULL. */
struct intake_person *intake_person_add(struct intake *i);
struct intake_database *intake_database_add(struct intake *i);
/* Addresses of a list with commas, semicolons, blanks or newlines between. 0 or -ENOMEM. */
int intake_addresses_add(struct intake_person *p, const char *list);

/* The client file. With `draft` what is not known is filled with what no check objects to, so that an answer can be
 * judged before the next is given: `draft` is any server, and `today` a date. NULL without memory. */
char *intake_write(const struct intake *i, const char *draft, const char *today);

/* Adds the people of an intake form: a header with the columns client, first, last, email, and addresses in any order,
 * commas or semicolons between; rows of other clients are left out. Or JSON: a list of objects with these members.
 * 0; -ENOMEM; -EINVAL with `why`, which names the line; -ENOENT: nobody of that client. */
int intake_read_csv(struct intake *i, const char *text, char why[256]);
int intake_read_json(struct intake *i, const char *text, char why[256]);
/* Adds the people whose mail addresses stand in any text, each with the network addresses that follow before the next,
 * and with a name where the mail address has one. Network addresses before the first are the first's. 0 or -ENOMEM. */
int intake_read_text(struct intake *i, const char *text);

#endif
