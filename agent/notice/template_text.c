/* Curfew's own templates, in English, for kinds without a template of the operator. */
#include "curfew/notice.h"

#define HELLO "Hello {name},\n\n"
#define DATES "\nWhat is to come (all times in your organization's time zone):\n\n{dates}\n"
#define FOOT                                                                                              \
	"\nQuestions: {contact}. This message was sent by the program that manages the access; it never " \
	"asks for a password.\n"

static const char *const texts[] = {
	[NOTICE_OPENED] =
		"Subject: {client}: your SQL Server access has started\n\n" HELLO
		"your access to the databases of {client} has started on {date}:\n\n{databases}\n\n"
		"You can connect from these addresses only: {sources}\n\n{connection}\n\n"
		"You receive the first password from your contact, by mail only encrypted.\n" DATES
			FOOT,
	[NOTICE_READ_ONLY_7] =
		"Subject: {client}: your SQL Server access becomes read-only in {in}\n\n" HELLO
		"on {date} {client} goes live. From that second on you can read, and no longer change, the databases. "
		"A transaction that is open then is rolled back.\n" DATES FOOT,
	[NOTICE_READ_ONLY_1] =
		"Subject: {client}: your SQL Server access becomes read-only in {in}\n\n" HELLO
		"on {date} {client} goes live. From that second on you can read, and no longer change, the databases. "
		"Please commit or undo your transactions before it.\n" DATES FOOT,
	[NOTICE_READ_ONLY] =
		"Subject: {client}: your SQL Server access is read-only now\n\n" HELLO
		"{client} went live on {date}. You can read the databases, and no longer change them:\n\n{databases}\n" DATES
			FOOT,
	[NOTICE_STAGING_ENDS_7] =
		"Subject: {client}: the staging site ends in {in}\n\n" HELLO
		"the staging site of {client} and your access to its database end on {date}. If you need it longer, ask "
		"your contact now.\n" DATES FOOT,
	[NOTICE_STAGING_ENDS_1] =
		"Subject: {client}: the staging site ends in {in}\n\n" HELLO
		"the staging site of {client} and your access to its database end on {date}.\n" DATES
			FOOT,
	[NOTICE_ENDS_7] =
		"Subject: {client}: your SQL Server access ends in {in}\n\n" HELLO
		"your access to the databases of {client} ends on {date}. Sessions that are open then are ended.\n" FOOT,
	[NOTICE_ENDS_1] =
		"Subject: {client}: your SQL Server access ends in {in}\n\n" HELLO
		"your access to the databases of {client} ends on {date}. Sessions that are open then are ended.\n" FOOT,
	[NOTICE_ENDED] =
		"Subject: {client}: your SQL Server access has ended\n\n" HELLO
		"your access to the databases of {client} has ended on {date}. The login {login} is removed.\n" FOOT,
	[NOTICE_ADDRESS_CHANGED] =
		"Subject: {client}: the addresses that you can connect from have changed\n\n" HELLO
		"from now on you can connect to the databases of {client} from these addresses only: {sources}\n\n"
		"If you did not ask for this, tell your contact at once.\n" FOOT,
	[NOTICE_DATES_MOVED] =
		"Subject: {client}: the dates of your SQL Server access have changed\n\n" HELLO
		"the dates of your access to the databases of {client} have changed. The calendar that is attached "
		"replaces the former one.\n" DATES FOOT,
	[NOTICE_REVOKED] =
		"Subject: {client}: your SQL Server access was withdrawn\n\n" HELLO
		"your access to the databases of {client} was withdrawn on {date}.\n" FOOT,
	[NOTICE_SHEET] =
		"Subject: {client}: your one-time password for SQL Server, encrypted\n\n" HELLO
		"the attached file has the login {login}, a one-time password, and how to connect. It is encrypted with the "
		"key that you gave your contact, and only you can open it: with age, or with gpg where its name ends in "
		".asc. On the servers that the file names, a password that you received before no longer works.\n" FOOT,
	[NOTICE_DIGEST] =
		"Subject: {client}: notices of {date}\n\n"
		"Client {client}, ticket {ticket}. Notices that were sent to its users:\n\n{list}\n",
	[NOTICE_CUSTOM] = "Subject: {client}: customizations before go-live {date}\n\n"
			  "Client {client}, ticket {ticket}.\n\n{list}.\n\n"
			  "Run `curfew inventory {client}` for the list with its evidence.\n",
	[NOTICE_ALARM] = "Subject: Curfew: {reason}\n\n{date}, gateway {host}\n\n{list}\n",
	[NOTICE_PREFLIGHT] =
		"Subject: {client}: {reason} in {in}, and something may keep it from that\n\n"
		"Client {client}, ticket {ticket}: {reason} on {date}. A preflight found what has to be put right before:\n\n"
		"{list}\n"
		"Nothing was changed. Then run `curfew preflight {client}` again.\n",
	[NOTICE_TEST] =
		"Subject: Curfew: a test\n\n"
		"This message shows that notices can be sent. Nobody's access was changed.\n",
};

const char *notice_template_text(enum notice_kind kind)
{
	return (size_t)kind < ARRAY_SIZE(texts) ? texts[kind] : "";
}

/* The operator's template in the client's language, else in no language; NULL: Curfew's own. */
static const char *operators(
	const struct settings *s, const char *language, enum notice_kind kind, bool html)
{
	const char *found = NULL;

	for (size_t i = 0; i < s->notices.n_templates; i++) {
		const struct notice_template *t = &s->notices.templates[i];

		if (t->kind != kind || t->html != html)
			continue;
		if (streq(t->language, language))
			return t->text;
		if (!*t->language)
			found = t->text;
	}
	return found;
}

struct notice_texts notice_texts(
	const struct settings *s, const char *language, enum notice_kind kind)
{
	struct notice_texts t = {operators(s, language ? language : "", kind, false),
		operators(s, language ? language : "", kind, true)};

	if (!t.text)
		t.text = notice_template_text(kind);
	return t;
}
