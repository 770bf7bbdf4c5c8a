/* The firewall process as a witness: tells it each revocation and the journal's head, which it saves where the service
 * cannot write. So a journal that is lost, emptied, or replaced by an older copy reinstates nobody. */
#include <errno.h>
#include <string.h>
#include <sodium.h>
#include "curfew/state_tables.h"
#include "service/internal.h"

static int witness_tell(struct service *s, const struct firewall_record *r)
{
	int rc = s->firewall ? firewall_client_record(s->firewall, r) : 0;

	/* If the process died, its monitoring reports that. */
	if (rc < 0 && rc != -EPIPE && rc != -ETIMEDOUT)
		log_send(LOG_JOURNAL_FAILED, NULL,
			"the firewall process cannot save a revocation or the journal's head: %s; access is not affected now, but a lost "
			"journal could go unnoticed; free space in the directory beside state_directory whose name ends with "
			"-firewall",
			strerror(-rc));
	return rc;
}

static int override_tell(struct service *s, enum firewall_record_kind kind, const char *client,
	const char *login, instant_t at)
{
	struct firewall_record r = {.kind = kind, .at = at};

	if (strlen(client) > MAX_NAME_BYTES || (login && strlen(login) > MAX_NAME_BYTES))
		return -ENAMETOOLONG;
	record_set(r.client, sizeof(r.client), client);
	record_set(r.login, sizeof(r.login), login ? login : "");
	return witness_tell(s, &r);
}

void witness_revoked(struct service *s, const char *client, const char *login, instant_t at)
{
	override_tell(s, FIREWALL_REVOKED, client, login, at);
}

int witness_reinstated(struct service *s, const char *client, const char *login, instant_t at)
{
	return override_tell(s, FIREWALL_REINSTATED, client, login, at);
}

void witness_head(struct service *s)
{
	struct firewall_record r = {.kind = FIREWALL_HEAD};
	uint8_t hash[JOURNAL_HASH_SIZE];

	if (!s->journal || journal_head(hash, &r.id, s->journal) < 0 || r.id == s->witnessed)
		return;
	clock_now(&r.at, NULL, &s->clock);
	sodium_bin2hex(r.hash, sizeof(r.hash), hash, sizeof(hash));
	if (witness_tell(s, &r) == 0)
		s->witnessed = r.id;
}
