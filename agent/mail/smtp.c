/* Sends one mail with libcurl. TLS is verified, unless the relay is this host. The last line is held back until the
 * service has recorded that it is about to be sent. */
#include "mail/upload.h"

#include <curl/curl.h>
#include <string.h>

static void options_set(
	CURL *c, const struct sender_hello *to, const char *password, struct upload *u)
{
	char url[512];
	bool literal = strchr(to->host, ':');

	snprintf(url, sizeof(url), "%s://%s%s%s:%u", to->tls == MAIL_TLS ? "smtps" : "smtp",
		literal ? "[" : "", to->host, literal ? "]" : "", to->port);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(
		c, CURLOPT_USE_SSL, to->tls == MAIL_PLAIN ? CURLUSESSL_NONE : CURLUSESSL_ALL);
	if (to->user[0]) {
		curl_easy_setopt(c, CURLOPT_USERNAME, to->user);
		curl_easy_setopt(c, CURLOPT_PASSWORD, password);
	}
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	upload_options_set(c, to, u);
}

/* Remembers the last error reply. libcurl delivers the server's replies as debug lines. */
static int reply_note(CURL *c, curl_infotype type, char *data, size_t size, void *context)
{
	char *text = context;

	(void)c;
	if (type != CURLINFO_HEADER_IN || size < 4 || (data[0] != '4' && data[0] != '5'))
		return 0;
	size_t n = 0;
	for (; n < size && n + 1 < SENDER_TEXT_MAX && data[n] != '\r' && data[n] != '\n'; n++)
		text[n] = (unsigned char)data[n] < ' ' || (unsigned char)data[n] > '~' ? '?'
										       : data[n];
	text[n] = '\0';
	return 0;
}

static enum sender_result result_of(
	CURLcode rc, long code, const char *reply, char text[SENDER_TEXT_MAX], const char *error)
{
	if (rc == CURLE_OK)
		return SENDER_SENT;
	/* A rejected login is an error in the settings, not in this mail. */
	bool refused = code >= 500 && code < 600 && rc != CURLE_LOGIN_DENIED;
	if (code >= 400 && code < 600 && reply[0])
		snprintf(text, SENDER_TEXT_MAX, "%s", reply);
	else
		snprintf(text, SENDER_TEXT_MAX, "%s", *error ? error : curl_easy_strerror(rc));
	return refused ? SENDER_REFUSED : SENDER_LATER;
}

enum sender_result smtp_send(char text[SENDER_TEXT_MAX], const struct sender_hello *to,
	const char *password, const char *recipient, const char *message, size_t size,
	sender_ask_fn ask, void *context)
{
	struct upload u = {.message = message, .size = size, .ask = ask, .context = context};
	char error[CURL_ERROR_SIZE] = "", reply[SENDER_TEXT_MAX] = "", from[300], rcpt[300];
	struct curl_slist *hosts = host_addresses(text, to->host, to->port), *recipients = NULL;
	CURL *c = hosts ? curl_easy_init() : NULL;
	enum sender_result result = SENDER_LATER;
	long code = 0;

	if (!hosts)
		return SENDER_LATER;
	snprintf(from, sizeof(from), "<%s>", to->from);
	snprintf(rcpt, sizeof(rcpt), "<%s>", recipient);
	recipients = curl_slist_append(NULL, rcpt);
	if (c && recipients) {
		options_set(c, to, password, &u);
		curl_easy_setopt(c, CURLOPT_RESOLVE, hosts);
		curl_easy_setopt(c, CURLOPT_MAIL_FROM, from);
		curl_easy_setopt(c, CURLOPT_MAIL_RCPT, recipients);
		curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
		curl_easy_setopt(c, CURLOPT_VERBOSE, 1L);
		curl_easy_setopt(c, CURLOPT_DEBUGFUNCTION, reply_note);
		curl_easy_setopt(c, CURLOPT_DEBUGDATA, reply);
		CURLcode rc = curl_easy_perform(c);
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
		result = result_of(rc, code, reply, text, error);
	} else {
		snprintf(text, SENDER_TEXT_MAX, "out of memory");
	}
	curl_easy_cleanup(c);
	curl_slist_free_all(hosts);
	curl_slist_free_all(recipients);
	return result;
}
