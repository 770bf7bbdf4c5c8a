/* A mail by RFC 5322 and MIME: text, HTML, and calendar as alternatives, and a file beside them. Everything is base64, so
 * that no text can end a part, start a header, or be changed in transit. */
#include "curfew/notice.h"

#include "curfew/text.h"
#include "program/names.h"

#include <errno.h>
#include <sodium.h>
#include <string.h>

/* Bytes in a line of base64 and in an encoded word: RFC 2045, RFC 2047. */
#define LINE_BYTES 57
#define WORD_BYTES 36

const char *notice_id(char buf[NOTICE_ID_MAX], const char *event, const char *recipient)
{
	uint8_t hash[16];
	crypto_generichash_state h;

	crypto_generichash_init(&h, NULL, 0, sizeof(hash));
	crypto_generichash_update(&h, (const uint8_t *)event, strlen(event) + 1);
	crypto_generichash_update(&h, (const uint8_t *)recipient, strlen(recipient));
	crypto_generichash_final(&h, hash, sizeof(hash));
	return sodium_bin2hex(buf, NOTICE_ID_MAX, hash, sizeof(hash));
}

static void base64_print(FILE *to, const char *bytes, size_t n)
{
	char text[sodium_base64_ENCODED_LEN(LINE_BYTES, sodium_base64_VARIANT_ORIGINAL)];

	sodium_bin2base64(
		text, sizeof(text), (const uint8_t *)bytes, n, sodium_base64_VARIANT_ORIGINAL);
	fputs(text, to);
}

static void part_print(FILE *to, const char *boundary, const char *type, const char *text)
{
	size_t size = strlen(text);

	fprintf(to, "--%s\r\nContent-Type: %s\r\nContent-Transfer-Encoding: base64\r\n\r\n",
		boundary, type);
	for (size_t at = 0; at < size; at += LINE_BYTES) {
		base64_print(to, text + at, size - at < LINE_BYTES ? size - at : LINE_BYTES);
		fputs("\r\n", to);
	}
}

/* Never splits a character between two encoded words. */
static void subject_print(FILE *to, const char *subject)
{
	fputs("Subject:", to);
	do {
		size_t n = 0, step;
		uint32_t c;

		while (subject[n] && (step = utf8_decode(&c, subject + n)) != 0 &&
			n + step <= WORD_BYTES)
			n += step;
		if (!n)
			break;
		fputs(" =?UTF-8?B?", to);
		base64_print(to, subject, n);
		subject += n;
		fputs(*subject ? "?=\r\n" : "?=", to);
	} while (*subject);
	fputs("\r\n", to);
}

/* English names, whatever the locale is. */
static void date_print(FILE *to, instant_t now)
{
	static const char days[] = "SunMonTueWedThuFriSat",
			  months[] = "JanFebMarAprMayJunJulAugSepOctNovDec";
	time_t t = (time_t)now;
	struct tm tm;

	if (!gmtime_r(&t, &tm))
		return;
	fprintf(to, "Date: %.3s, %d %.3s %d %02d:%02d:%02d +0000\r\n",
		days + 3 * (ptrdiff_t)tm.tm_wday, tm.tm_mday, months + 3 * (ptrdiff_t)tm.tm_mon,
		tm.tm_year + 1900, tm.tm_hour, tm.tm_min, tm.tm_sec);
}

/* The boundary of the alternatives and the outer one differ after the first character. */
static void mixed_begin(FILE *to, const char *id)
{
	fprintf(to,
		"Content-Type: multipart/mixed;\r\n boundary=\"=mixed_%s\"\r\n\r\n--=mixed_%s\r\n",
		id, id);
}

static void mixed_end(FILE *to, const struct notice_mail *m, const char *id)
{
	char boundary[64], type[256];

	snprintf(boundary, sizeof(boundary), "=mixed_%s", id);
	snprintf(type, sizeof(type),
		"application/octet-stream\r\nContent-Disposition: attachment; filename=\"%s\"",
		m->attached_name);
	part_print(to, boundary, type, m->attached);
	fprintf(to, "--%s--\r\n", boundary);
}

static void message_print(FILE *to, const struct notice_mail *m, const char *from,
	const char *recipient, const char *id, instant_t now)
{
	char boundary[64];

	snprintf(boundary, sizeof(boundary), "=_%s", id);
	fprintf(to, "From: <%s>\r\nTo: <%s>\r\n", from, recipient);
	subject_print(to, m->subject);
	date_print(to, now);
	fprintf(to,
		"Message-ID: <%s@%s>\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-generated\r\n",
		id, strrchr(from, '@') + 1);
	if (m->attached)
		mixed_begin(to, id);
	fprintf(to, "Content-Type: multipart/alternative;\r\n boundary=\"%s\"\r\n\r\n", boundary);
	part_print(to, boundary, "text/plain; charset=utf-8", m->text);
	part_print(to, boundary, "text/html; charset=utf-8", m->html);
	if (m->calendar)
		part_print(to, boundary,
			"text/calendar; charset=utf-8; method=PUBLISH;\r\n name=\"access.ics\"",
			m->calendar);
	fprintf(to, "--%s--\r\n", boundary);
	if (m->attached)
		mixed_end(to, m, id);
}

int notice_message(char **out, size_t *size, const struct notice_mail *m, const char *from,
	const char *to, const char *id, instant_t now)
{
	struct text t;

	if (!name_is_email(from) || !name_is_email(to))
		return -EINVAL;
	if (!text_begin(&t))
		return -ENOMEM;
	message_print(t.to, m, from, to, id, now);
	char *text = text_end(&t);
	if (!text)
		return -ENOMEM;
	*out = text;
	*size = t.size;
	return 0;
}
