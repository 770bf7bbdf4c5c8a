/* Sends one event to the webhook: a POST of JSON by HTTPS, signed with a secret that both ends have. service/sending_hook.c
 * makes the JSON. The server's certificate is verified. The last byte is held back until the service has recorded that it
 * is about to go out. */
#include "mail/upload.h"

#include <curl/curl.h>
#include <sodium.h>
#include <string.h>

#define SIGNATURE "X-Curfew-Signature: sha256="

/* HMAC-SHA256 of the body (RFC 2104): a receiver that knows the secret can verify origin and content. */
static void signature_write(char out[sizeof(SIGNATURE) + 2 * crypto_auth_hmacsha256_BYTES],
	const char *secret, const char *message, size_t size)
{
	crypto_auth_hmacsha256_state h;
	uint8_t mac[crypto_auth_hmacsha256_BYTES];

	crypto_auth_hmacsha256_init(&h, (const uint8_t *)secret, strlen(secret));
	crypto_auth_hmacsha256_update(&h, (const uint8_t *)message, size);
	crypto_auth_hmacsha256_final(&h, mac);
	sodium_memzero(&h, sizeof(h));
	memcpy(out, SIGNATURE, sizeof(SIGNATURE));
	sodium_bin2hex(out + strlen(SIGNATURE), 2 * sizeof(mac) + 1, mac, sizeof(mac));
}

static size_t answer_drop(char *data, size_t size, size_t n, void *context)
{
	(void)data, (void)context;
	return size * n;
}

static void options_set(CURL *c, const struct sender_hello *to, struct upload *u)
{
	curl_easy_setopt(c, CURLOPT_URL, to->hook);
	curl_easy_setopt(c, CURLOPT_PROTOCOLS_STR, "https");
	curl_easy_setopt(c, CURLOPT_POST, 1L);
	curl_easy_setopt(c, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)u->size);
	/* Do not follow redirects: they name a host that nobody configured. */
	curl_easy_setopt(c, CURLOPT_FOLLOWLOCATION, 0L);
	curl_easy_setopt(c, CURLOPT_WRITEFUNCTION, answer_drop);
	upload_options_set(c, to, u);
}

static enum sender_result result_of(
	CURLcode rc, long code, char text[SENDER_TEXT_MAX], const char *error)
{
	if (rc != CURLE_OK) {
		snprintf(text, SENDER_TEXT_MAX, "%s", *error ? error : curl_easy_strerror(rc));
		return SENDER_LATER;
	}
	if (code >= 200 && code < 300)
		return SENDER_SENT;
	snprintf(text, SENDER_TEXT_MAX, "the webhook answered %ld", code);
	/* Timeout, too many requests, or an error of the server: try again later. */
	return code == 408 || code == 429 || code >= 500 ? SENDER_NOT_TAKEN : SENDER_REFUSED;
}

enum sender_result webhook_send(char text[SENDER_TEXT_MAX], const struct sender_hello *to,
	const char *secret, const char *message, size_t size, sender_ask_fn ask, void *context)
{
	struct upload u = {
		.message = message, .size = size, .held = 1, .ask = ask, .context = context};
	char error[CURL_ERROR_SIZE] = "",
	     signature[sizeof(SIGNATURE) + 2 * crypto_auth_hmacsha256_BYTES];
	struct curl_slist *hosts = host_addresses(text, to->hook_host, to->hook_port),
			  *headers = NULL, *more;
	CURL *c = hosts ? curl_easy_init() : NULL;
	enum sender_result result = SENDER_LATER;
	long code = 0;

	if (!hosts)
		return SENDER_LATER;
	signature_write(signature, secret, message, size);
	/* Without "Expect: 100-continue": the body is small. */
	static const char *const fixed[] = {
		"Content-Type: application/json", "Expect:", "User-Agent: curfew"};
	headers = curl_slist_append(NULL, signature);
	for (size_t i = 0; i < ARRAY_SIZE(fixed) && headers; i++) {
		more = curl_slist_append(headers, fixed[i]);
		if (!more)
			curl_slist_free_all(headers);
		headers = more;
	}
	if (c && headers) {
		options_set(c, to, &u);
		curl_easy_setopt(c, CURLOPT_RESOLVE, hosts);
		curl_easy_setopt(c, CURLOPT_HTTPHEADER, headers);
		curl_easy_setopt(c, CURLOPT_ERRORBUFFER, error);
		CURLcode rc = curl_easy_perform(c);
		curl_easy_getinfo(c, CURLINFO_RESPONSE_CODE, &code);
		result = result_of(rc, code, text, error);
	} else {
		snprintf(text, SENDER_TEXT_MAX, "out of memory");
	}
	curl_easy_cleanup(c);
	curl_slist_free_all(hosts);
	curl_slist_free_all(headers);
	return result;
}
