/* Finds email addresses and network addresses in the text of a mail. */
#include "program/intake.h"
#include "program/names.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

/* Characters of an email address, a network address, or a prefix. All others separate words. */
static bool is_part(char c)
{
	return isalnum((unsigned char)c) || (c && strchr(".@_+-:/%", c));
}

/* The name in a part of an email address: "Jane" for "jane"; NULL if it is not a name. */
static char *name_part(const char *text, size_t n)
{
	char *name;

	for (size_t i = 0; i < n; i++)
		if (!isalpha((unsigned char)text[i]) && text[i] != '-')
			return NULL;
	name = n ? strndup(text, n) : NULL;
	for (size_t i = 0; name && i < n; i++)
		if (i == 0 || name[i - 1] == '-')
			name[i] = (char)toupper((unsigned char)name[i]);
	return name;
}

static void names_guess(struct intake_person *p)
{
	size_t at = strcspn(p->email, "@"), dot = strcspn(p->email, ".");

	if (dot >= at)
		return;
	p->first = name_part(p->email, dot);
	p->last = name_part(p->email + dot + 1, at - dot - 1);
}

static int address_take(struct intake *i, struct strings *early, const char *word)
{
	struct intake_person lone = {.addresses = *early};
	int rc;

	if (i->n_people)
		return intake_addresses_add(&i->people[i->n_people - 1], word);
	rc = intake_addresses_add(&lone, word);
	*early = lone.addresses;
	return rc;
}

static int word_take(struct intake *i, struct strings *early, const char *word, int line)
{
	struct intake_person *p;
	struct source s;
	int parsed;
	/* "IP:203.0.113.7", "mailto:jane.doe@acme.example" */
	const char *colon = strrchr(word, ':');

	if (colon && strpbrk(colon, "@."))
		word = colon + 1;
	if (strchr(word, '@')) {
		if (!name_is_email(word))
			return 0;
		for (size_t k = 0; k < i->n_people; k++)
			if (i->people[k].email && names_equal(i->people[k].email, word))
				return 0;
		p = intake_person_add(i);
		if (!p)
			return -ENOMEM;
		if (i->n_people == 1) {
			p->addresses = *early;
			*early = (struct strings){0};
		}
		p->place = line;
		p->email = strdup(word);
		if (!p->email)
			return -ENOMEM;
		names_guess(p);
		return 0;
	}
	parsed = strpbrk(word, ".:") ? source_parse(&s, word) : SOURCE_MALFORMED;
	if (parsed != 0 && parsed != SOURCE_HOST_BITS)
		return 0;
	/* "192.0.2.7/24" in a mail means the address, with the length of its network. */
	_cleanup_free_ char *alone = strndup(word, parsed ? strcspn(word, "/") : strlen(word));
	return alone ? address_take(i, early, alone) : -ENOMEM;
}

int intake_read_text(struct intake *i, const char *text)
{
	struct strings early = {0};
	int rc = 0, line = 1;

	while (*text && rc == 0) {
		size_t n = 0;

		while (is_part(text[n]))
			n++;
		if (n == 0) {
			line += *text == '\n';
			text++;
			continue;
		}
		size_t end = n;
		/* A period that ends a sentence is not part of the word. */
		while (end > 0 && strchr(".:/-", text[end - 1]) &&
			!(end > 1 && text[end - 2] == ':'))
			end--;
		_cleanup_free_ char *word = strndup(text, end);
		rc = word ? word_take(i, &early, word, line) : -ENOMEM;
		text += n;
	}
	for (size_t k = 0; k < early.n; k++)
		free(early.items[k]);
	free(early.items);
	return rc;
}
