/* Which sets exist, and the names of chains and sets in the kernel. A server has a chain and sets named after it, so
 * that a listing of the table shows who can reach which server. */
#include <arpa/inet.h>
#include <string.h>

#include "firewall/netlink.h"

#define OF_SERVER "server."
/* Endpoints that are still guarded although no server has them any more: each by itself. */
#define OF_LEFT "left."

static const char *const KIND_NAMES[] = {
	[SET_GUARD] = "server",
	[SET_TRUSTED] = "trusted",
	[SET_ALLOW] = "allow",
	[SET_DENIED] = "denied",
	[SET_EARLIER_GUARD] = "guard",
	[SET_EARLIER_TRUSTED] = "trusted",
	[SET_EARLIER_ALLOW] = "allow",
};

bool set_is_of_server(const struct set_id *id)
{
	return id->kind == SET_TRUSTED || id->kind == SET_ALLOW;
}

bool set_is_earlier(const struct set_id *id)
{
	return id->kind >= SET_EARLIER_GUARD;
}

bool set_has_timeout(const struct set_id *id)
{
	return id->kind == SET_ALLOW || id->kind == SET_DENIED || id->kind == SET_EARLIER_ALLOW;
}

int set_id_compare(const struct set_id *a, const struct set_id *b)
{
	if (a->kind != b->kind)
		return a->kind < b->kind ? -1 : 1;
	if (a->server != b->server)
		return a->server < b->server ? -1 : 1;
	if (a->family != b->family)
		return a->family < b->family ? -1 : 1;
	return (int)a->prefix - (int)b->prefix;
}

/* nft's names have no colons and no brackets. */
const char *chain_name(char buf[NFT_NAME_MAX], const struct guard *g)
{
	char address[INET6_ADDRSTRLEN] = "";

	if (g->server) {
		snprintf(buf, NFT_NAME_MAX, OF_SERVER "%s", g->server);
		return buf;
	}
	inet_ntop(g->endpoint.family, g->endpoint.addr, address, sizeof(address));
	for (char *c = address; *c; c++)
		*c = *c == ':' ? '-' : *c;
	snprintf(buf, NFT_NAME_MAX, OF_LEFT "%s_%u", address, g->endpoint.port);
	return buf;
}

bool chain_name_parse(struct guard *g, const char *name, struct pool *texts)
{
	struct guard left = {.endpoint = g->endpoint};
	char again[NFT_NAME_MAX];

	g->server = NULL;
	if (begins_with(name, OF_SERVER) && name[strlen(OF_SERVER)]) {
		g->server = pool_text(texts, name + strlen(OF_SERVER));
		return g->server != NULL;
	}
	return streq(chain_name(again, &left), name);
}

int names_number(uint32_t *out, struct names *n, const char *name)
{
	for (size_t i = n->n; i-- > 0;)
		if (streq(n->items[i], name)) {
			*out = (uint32_t)i;
			return 0;
		}
	char *copy = strdup(name);
	if (!copy || ARRAY_ADD(n->items, n->n, copy)) {
		free(copy);
		return -ENOMEM;
	}
	*out = (uint32_t)(n->n - 1);
	return 0;
}

void names_free(struct names *n)
{
	for (size_t i = 0; i < n->n; i++)
		free(n->items[i]);
	free(n->items);
	*n = (struct names){0};
}

static bool has_prefix(const struct set_id *id)
{
	return set_is_of_server(id) || id->kind == SET_EARLIER_TRUSTED ||
	       id->kind == SET_EARLIER_ALLOW;
}

const char *set_name(char buf[NFT_NAME_MAX], const struct set_id *id, const struct names *servers)
{
	const bool own = set_is_of_server(id);
	char prefix[8] = "";

	if (has_prefix(id))
		snprintf(prefix, sizeof(prefix), "_%u", id->prefix);
	snprintf(buf, NFT_NAME_MAX, "%s%s%s%c%s", own ? servers->items[id->server] : "",
		own ? "." : "", KIND_NAMES[id->kind], id->family == AF_INET ? '4' : '6', prefix);
	return buf;
}

/* "allow4_32" and the like. */
static bool kind_parse(struct set_id *id, const char *text)
{
	size_t length = strlen(KIND_NAMES[id->kind]);

	if (strncmp(text, KIND_NAMES[id->kind], length) != 0)
		return false;
	id->family = text[length] == '6' ? AF_INET6 : AF_INET;
	if (has_prefix(id) && text[length] && text[length + 1] == '_') {
		unsigned long prefix = strtoul(text + length + 2, NULL, 10);

		if (prefix > 8 * address_length(id->family))
			return false;
		id->prefix = (uint8_t)prefix;
	}
	return true;
}

int set_name_parse(struct set_id *out, const char *name, struct names *servers)
{
	const char *dot = strrchr(name, '.');
	char again[NFT_NAME_MAX], server[NFT_NAME_MAX];

	for (unsigned k = 0; k < ARRAY_SIZE(KIND_NAMES); k++) {
		struct set_id id = {.kind = (enum set_kind)k};

		if (set_is_of_server(&id) != (dot != NULL) ||
			!kind_parse(&id, dot ? dot + 1 : name))
			continue;
		if (dot) {
			snprintf(server, sizeof(server), "%.*s", (int)(dot - name), name);
			if ((!begins_with(server, OF_SERVER) && !begins_with(server, OF_LEFT)))
				return -EINVAL;
			int rc = names_number(&id.server, servers, server);
			if (rc < 0)
				return rc;
		}
		/* Accept only the canonical spelling. */
		if (!streq(set_name(again, &id, servers), name))
			return -EINVAL;
		*out = id;
		return 0;
	}
	return -EINVAL;
}
