/* What each transfer by libcurl has: the message, time limits, verification of the server. */
#include "mail/upload.h"

#include <curl/curl.h>
#include <errno.h>
#include <netdb.h>
#include <string.h>
#include <sys/socket.h>

/* For a whole mail: a server that does not answer must not delay the others for long. */
#define TIMEOUT_SECONDS 120
#define CONNECT_SECONDS 20

static size_t upload_read(char *out, size_t size, size_t n, void *context)
{
	struct upload *u = context;
	size_t most = u->asked ? u->size : u->size - u->held, room = size * n;

	if (u->at == most && !u->asked) {
		u->asked = true;
		u->refused = u->ask(u->context) != 0;
		most = u->size;
	}
	if (u->refused)
		return CURL_READFUNC_ABORT;
	size_t left = most - u->at, part = left < room ? left : room;
	memcpy(out, u->message + u->at, part);
	u->at += part;
	return part;
}

/* Resolves the name here: libcurl would start a thread for it, which the sandbox forbids. */
struct curl_slist *host_addresses(char text[SENDER_TEXT_MAX], const char *host, uint16_t port)
{
	const struct addrinfo hints = {.ai_socktype = SOCK_STREAM};
	struct addrinfo *found = NULL;
	struct curl_slist *list = NULL;
	char entry[1024], address[NI_MAXHOST];
	int rc = getaddrinfo(host, NULL, &hints, &found);

	if (rc) {
		snprintf(text, SENDER_TEXT_MAX, "cannot look up %s: %s", host, gai_strerror(rc));
		return NULL;
	}
	size_t used = (size_t)snprintf(entry, sizeof(entry), "%s:%u:", host, port);
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

void upload_options_set(void *curl, const struct sender_hello *to, struct upload *u)
{
	CURL *c = curl;

	curl_easy_setopt(c, CURLOPT_SSL_VERIFYPEER, 1L);
	curl_easy_setopt(c, CURLOPT_SSL_VERIFYHOST, 2L);
	curl_easy_setopt(c, CURLOPT_SSLVERSION, CURL_SSLVERSION_TLSv1_2);
	if (to->ca_file[0])
		curl_easy_setopt(c, CURLOPT_CAINFO, to->ca_file);
	curl_easy_setopt(c, CURLOPT_CAPATH, NULL);
	curl_easy_setopt(c, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c, CURLOPT_NETRC, CURL_NETRC_IGNORED);
	curl_easy_setopt(c, CURLOPT_PROXY, "");
	curl_easy_setopt(c, CURLOPT_TIMEOUT, (long)TIMEOUT_SECONDS);
	curl_easy_setopt(c, CURLOPT_CONNECTTIMEOUT, (long)CONNECT_SECONDS);
	curl_easy_setopt(c, CURLOPT_READFUNCTION, upload_read);
	curl_easy_setopt(c, CURLOPT_READDATA, u);
}
