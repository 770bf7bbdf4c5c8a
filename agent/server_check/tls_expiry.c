/* Reads the certificate of a server by a TLS handshake of its own, because FreeTDS does not show it. TDS 7 wraps the
 * handshake in pre-login packets. Sends no secret and does not log in. */
#include "server_check/tls_expiry.h"

#include <errno.h>
#include <poll.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include <gnutls/gnutls.h>
#include <gnutls/x509.h>

/* MS-TDS 2.2.3.1: type, status, length, and four bytes that are not used here. */
#define HEADER_SIZE	 8
#define PACKET_MAX	 4096
#define PACKET_ANSWER	 0x04
#define PACKET_PRELOGIN	 0x12
#define STATUS_LAST	 0x01
#define ANSWER_FIRST_MAX 64

struct wire {
	int fd;
	int64_t until;	    /* monotonic milliseconds */
	size_t left;	    /* of the packet under way */
	unsigned char last; /* status of that packet */
};

static int wire_wait(const struct wire *w, short events)
{
	struct pollfd p = {.fd = w->fd, .events = events};
	int64_t left = w->until - monotonic_ms();
	int rc = left > 0 ? poll(&p, 1, (int)left) : 0;

	return rc > 0 ? 0 : rc ? -errno : -ETIMEDOUT;
}

static int wire_read(struct wire *w, void *to, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = recv(w->fd, (char *)to + done, size - done, MSG_DONTWAIT);

		if (n == 0)
			return -ECONNRESET;
		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n < 0) {
			int rc = wire_wait(w, POLLIN);
			if (rc)
				return rc;
			continue;
		}
		done += (size_t)n;
	}
	return 0;
}

static int wire_write(const struct wire *w, const void *from, size_t size)
{
	for (size_t done = 0; done < size;) {
		ssize_t n = send(
			w->fd, (const char *)from + done, size - done, MSG_NOSIGNAL | MSG_DONTWAIT);

		if (n < 0 && errno != EAGAIN && errno != EINTR)
			return -errno;
		if (n < 0) {
			int rc = wire_wait(w, POLLOUT);
			if (rc)
				return rc;
			continue;
		}
		done += (size_t)n;
	}
	return 0;
}

static int packet_write(const struct wire *w, const void *data, size_t size)
{
	unsigned char packet[PACKET_MAX] = {PACKET_PRELOGIN, STATUS_LAST};

	if (size > sizeof(packet) - HEADER_SIZE)
		return -EMSGSIZE;
	packet[2] = (unsigned char)((size + HEADER_SIZE) >> 8);
	packet[3] = (unsigned char)(size + HEADER_SIZE);
	memcpy(packet + HEADER_SIZE, data, size);
	return wire_write(w, packet, size + HEADER_SIZE);
}

static int packet_begin(struct wire *w)
{
	unsigned char h[HEADER_SIZE];
	int rc = wire_read(w, h, sizeof(h));
	size_t size = (size_t)h[2] << 8 | h[3];

	if (rc)
		return rc;
	if ((h[0] != PACKET_ANSWER && h[0] != PACKET_PRELOGIN) || size < HEADER_SIZE)
		return -EPROTO;
	w->left = size - HEADER_SIZE;
	w->last = h[1];
	return 0;
}

static int prelogin(struct wire *w)
{
	/* MS-TDS 2.2.6.5: VERSION, ENCRYPTION, INSTOPT, and THREADID with their offsets, then the values. */
	static const unsigned char asked[] = {0, 0, 21, 0, 6, 1, 0, 27, 0, 1, 2, 0, 28, 0, 1, 3, 0,
		29, 0, 4, 0xff, 16, 0, 0, 0, 0, 0, 1, 0, 0, 0, 0, 0};
	unsigned char skipped[ANSWER_FIRST_MAX];
	int rc = packet_write(w, asked, sizeof(asked));

	do {
		if (!rc)
			rc = packet_begin(w);
		while (!rc && w->left) {
			size_t n = w->left < sizeof(skipped) ? w->left : sizeof(skipped);

			rc = wire_read(w, skipped, n);
			w->left -= n;
		}
	} while (!rc && !(w->last & STATUS_LAST));
	return rc;
}

/* ---- the handshake ---- */

static ssize_t push(gnutls_transport_ptr_t wire, const void *data, size_t size)
{
	const struct wire *w = wire;
	size_t most = PACKET_MAX - HEADER_SIZE, n = size < most ? size : most;
	int rc = packet_write(w, data, n);

	if (!rc)
		return (ssize_t)n;
	errno = -rc;
	return -1;
}

static ssize_t pull(gnutls_transport_ptr_t wire, void *data, size_t size)
{
	struct wire *w = wire;
	int rc = 0;

	while (!rc && !w->left)
		rc = packet_begin(w);
	size_t n = w->left < size ? w->left : size;
	if (!rc)
		rc = wire_read(w, data, n);
	if (!rc) {
		w->left -= n;
		return (ssize_t)n;
	}
	errno = -rc;
	return -1;
}

static time_t asked_time;
static time_t time_asked(time_t *out)
{
	if (out)
		*out = asked_time;
	return asked_time;
}

/* Verifies chain and name as of that time. */
static int then_verify(struct tls_expiry *out, gnutls_session_t s, const char *host, instant_t at)
{
	unsigned status = 0;
	gnutls_datum_t text;

	asked_time = (time_t)at;
	gnutls_global_set_time_function(time_asked);
	int rc = gnutls_certificate_verify_peers3(s, host, &status);
	gnutls_global_set_time_function(time);
	if (rc < 0)
		return -EPROTO;
	out->valid = status == 0;
	if (status &&
		!gnutls_certificate_verification_status_print(status, GNUTLS_CRT_X509, &text, 0)) {
		record_set(out->why, sizeof(out->why), (const char *)text.data);
		gnutls_free(text.data);
	}
	return 0;
}

static int peer_read(struct tls_expiry *out, gnutls_session_t s)
{
	unsigned n = 0;
	const gnutls_datum_t *chain = gnutls_certificate_get_peers(s, &n);
	gnutls_x509_crt_t own;

	if (!n || !chain || gnutls_x509_crt_init(&own) < 0)
		return -EPROTO;
	int rc = gnutls_x509_crt_import(own, &chain[0], GNUTLS_X509_FMT_DER) < 0 ? -EPROTO : 0;
	if (!rc)
		out->until = (instant_t)gnutls_x509_crt_get_expiration_time(own);
	gnutls_x509_crt_deinit(own);
	return rc;
}

static int handshake(struct tls_expiry *out, struct wire *w, const struct server *server,
	gnutls_certificate_credentials_t ca, instant_t at)
{
	gnutls_session_t s;
	int rc;

	if (gnutls_init(&s, GNUTLS_CLIENT) < 0)
		return -ENOMEM;
	rc = gnutls_set_default_priority(s);
	if (rc >= 0)
		rc = gnutls_credentials_set(s, GNUTLS_CRD_CERTIFICATE, ca);
	gnutls_server_name_set(s, GNUTLS_NAME_DNS, server->host, strlen(server->host));
	gnutls_transport_set_ptr(s, w);
	gnutls_transport_set_push_function(s, push);
	gnutls_transport_set_pull_function(s, pull);
	do
		rc = rc < 0 ? rc : gnutls_handshake(s);
	while (rc < 0 && !gnutls_error_is_fatal(rc) && monotonic_ms() < w->until);
	if (rc < 0)
		record_set(out->why, sizeof(out->why), gnutls_strerror(rc));
	rc = rc < 0 ? -EPROTO : peer_read(out, s);
	if (!rc)
		rc = then_verify(out, s, server->host, at);
	gnutls_deinit(s);
	return rc;
}

int tls_expiry_read(
	struct tls_expiry *out, int fd, const struct server *server, unsigned timeout, instant_t at)
{
	struct wire w = {.fd = fd, .until = monotonic_ms() + (int64_t)timeout * 1000};
	gnutls_certificate_credentials_t ca;

	*out = (struct tls_expiry){0};
	if (gnutls_certificate_allocate_credentials(&ca) < 0)
		return -ENOMEM;
	int rc =
		gnutls_certificate_set_x509_trust_file(ca, server->ca_file, GNUTLS_X509_FMT_PEM) < 1
			? -ENOENT
			: prelogin(&w);
	if (!rc)
		rc = handshake(out, &w, server, ca, at);
	gnutls_certificate_free_credentials(ca);
	return rc;
}
