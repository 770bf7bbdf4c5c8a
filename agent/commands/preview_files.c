/* Compares edited files with the loaded configuration. */
#include <string.h>

#include "commands/preview_files.h"

static void client_keep(struct preview *p, const struct client *only)
{
	size_t kept = 0;

	p->takes = p->gives = 0;
	for (size_t i = 0; i < p->n; i++) {
		const struct preview_change *c = &p->items[i];
		if (!names_equal((c->after ? c->after : c->before)->client->name, only->name))
			continue;
		p->takes += (c->effect & PREVIEW_TAKES) != 0;
		p->gives += (c->effect & PREVIEW_GIVES) != 0;
		p->items[kept++] = *c;
	}
	p->n = kept;
}

int preview_files(struct preview *out, struct program **saved, struct context *c)
{
	int code = context_state(c, false);

	if (code)
		return code;
	*saved = cli_saved(c->cli, c->program);
	if (!*saved)
		cli_fail(c->cli, 0,
			"warning: no configuration is loaded yet, or this user may not read it; everything the files give is shown as new");
	if (preview_make(out, *saved, c->program, &c->overrides, c->now))
		return cli_fail(c->cli, EXIT_FAILED, "out of memory");
	if (c->client)
		client_keep(out, c->client);
	return 0;
}
