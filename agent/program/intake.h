/* The data for a new client file: from options, answers, the intake form, or a pasted text. */
#ifndef PROGRAM_INTAKE_H
#define PROGRAM_INTAKE_H

#include "curfew/program.h"

struct intake_person {
	char *first, *last, *email; /* NULL: unknown */
	struct strings addresses;
	int place; /* in the form: the line, or in JSON the number in the list; 0: not from a form */
};
struct intake_database {
	char *role, *server, *name;
	char *before_go_live; /* a level; NULL: by the role */
};
struct intake {
	char *name, *ticket, *approved_by, *approved_on, *timezone, *starts,
		*go_live; /* NULL: unknown */
	char *milestones[MILESTONES];
	struct intake_database *databases;
	size_t n_databases;
	struct intake_person *people;
	size_t n_people;
	bool numbered; /* places are numbers in a list of JSON */
};
void intake_free(struct intake *i);
/* Adds a person at the end; NULL without memory. */
struct intake_person *intake_person_add(struct intake *i);
struct intake_database *intake_database_add(struct intake *i);
void intake_database_drop(struct intake *i); /* the last one */
/* A row of the form, which has this place. 0 or -ENOMEM. */
int intake_person_take(struct intake *i, int place, const char *first, const char *last,
	const char *email, const char *addresses);
/* A row that names no client, or this one. */
bool intake_is_of_client(const struct intake *i, const char *client);
/* Adds the addresses of a list, separated by commas, semicolons, spaces, or newlines. 0 or -ENOMEM. */
int intake_addresses_add(struct intake_person *p, const char *list);

/* Writes the client file. With `draft` (any server's name; `today` is a date) unknown settings get values that pass
 * every check, so that an answer can be checked before the next one is given. NULL without memory. */
char *intake_write(const struct intake *i, const char *draft, const char *today);

/* The user that the line of a text from intake_write() is about; NULL: none. */
const struct intake_person *intake_person_at(const struct intake *i, const char *written, int line);
/* The first setting on that line; "" if there is none. */
void intake_setting_at(char name[32], const char *written, int line);

/* The text of a form in UTF-8, without byte order mark, which the caller frees; reads UTF-16 with a byte order mark too.
 * 0; -ENOMEM; -EINVAL with `why` for what is no such text. */
int intake_decode(char **out, const char *bytes, size_t n, char why[256]);
/* Whether the first line names the columns of the form. */
bool intake_is_table(const char *text);
/* Adds the people of an intake form. CSV: a header with the columns client, first, last, email, and addresses in any
 * order, separated by commas, semicolons, or tabs. JSON: a list of objects with these members, or an object with such a
 * list as `users`, and with databases, milestones, and settings of the client; what is known already stays. Ignores
 * rows of other clients. 0; -ENOMEM; -EINVAL with `why`, which names the line; -ENOENT: no row of this client. */
int intake_read_csv(struct intake *i, const char *text, char why[256]);
int intake_read_json(struct intake *i, const char *text, char why[256]);
/* Adds a person for each email address in the text, with a name if the address has one, and with the network
 * addresses that follow it. Network addresses before the first email address belong to that one. 0 or -ENOMEM. */
int intake_read_text(struct intake *i, const char *text);

#endif
