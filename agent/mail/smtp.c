/* Sends one mail with libcurl. TLS is verified, unless the relay is this host. The last line is held back until the
 * service has recorded that it is about to be sent. */
#include "curfew/sender.h"

#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

/* For a whole mail: a server that does not answer must not delay the others for long. */
#define TIMEOUT_SECONDS 120
#define CONNECT_SECONDS 20

struct upload {
	const char *message;
	size_t size, at;
	sender_ask_fn ask;
	void *context;
	bool asked, refused;
};

static size_t upload_read(char *out, size_t size, size_t n, void *context)
{
	struct upload *u = context;
	size_t left = u->size - u->at, room = size * n;

	if (left) {
		size_t part = left < room ? left : room;

		memcpy(out, u->message + u->at, part);
		u->at += part;
		return part;
	}
	/* Only the line that ends the message is left. */
	if (!u->asked) {
		u->asked = true;
		u->refused = u->ask(u->context) != 0;
	}
	return u->refused ? CURL_READFUNC_ABORT : 0;
}

/* Resolves the name here: libcurl would start a thread for it, which the sandbox forbids. */
static struct curl_slist *addresses(char text[SENDER_TEXT_MAX], const struct sender_hello *to)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	struct curl_slist *list = NULL;
	char entry[1024], address[NI_MAXHOST];
	int rc = getaddrinfo(to->host, NULL, &hints, &found);

	if (rc) {
		snprintf(
			text, SENDER_TEXT_MAX, "cannot look up %s: %s", to->host, gai_strerror(rc));
		return NULL;
	}
	size_t used = (size_t)snprintf(entry, sizeof(entry), "%s:%u:", to->host, to->port);
	const char *before = "";
	for (struct addrinfo *a = found; a; a = a->ai_next) {
		if (getnameinfo(a->ai_addr, a->ai_addrlen, address, sizeof(address), NULL, 0,
			    NI_NUMERICHOST))
			continue;
		if (used + strlen(address) + 4 > sizeof(entry))
			break;
		used += (size_t)snprintf(entry + used, sizeof(entry) - used,
			strchr(address, ':') ? "%s[%s]" : "%s%s", before, address);
		before = ",";
	}
	freeaddrinfo(found);
	list = curl_slist_append(NULL, entry);
	if (!list)
		snprintf(text, SENDER_TEXT_MAX, "out of memory");
	return list;
}

static void options_set(
	CURL *c, const struct sender_hello *to, const char *password, struct upload *u)
{
	char url[512];
	bool literal = strchr(to->host, ':');

	snprintf(url, sizeof(url), "%s://%s%s%s:%u", to->tls == MAIL_TLS ? "smtps" : "smtp",
		literal ? "[" : "", to->host, literal ? "]" : "", to->port);
	curl_easy_setopt(c, CURLOPT_URL, url);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	curl_easy_setopt(c, CURLOPT_USE_SSL,
		(long)(to->tls == MAIL_PLAIN ? CURLUSESSL_NONE : CURLUSESSL_ALL));
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, (long)CURL_SSLVERSION_TLSv1_2);
	if (to->ca_file[0])
		curl_easy_setopt(c, CURLOPT_CAINFO, to->ca_file);
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	if (to->user[0]) {
		curl_easy_setopt(c, CURLOPT_USERNAME, to->user);
		curl_easy_setopt(c, CURLOPT_PASSWORD, password);
	}
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NETRC, (long)CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)TIMEOUT_SECONDS);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	curl_easy_setopt(c, CURLOPT_UPLOAD, 1L);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, upload_read);
	curl_easy_setopt(c, CURLOPT_READDATA, u);
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
	struct upload u = {message, size, 0, ask, context, false, false};
	char error[CURL_ERROR_SIZE] = "", reply[SENDER_TEXT_MAX] = "", from[300], rcpt[300];
	struct curl_slist *hosts = addresses(text, to), *recipients = NULL;
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
