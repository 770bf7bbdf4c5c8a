/* A rule as text, to compare one that was read with one that is made. */
#include <string.h>

#include "curfew/text.h"
#include "firewall/netlink.h"

static int expr_print(struct nftnl_expr *e, void *context)
{
	FILE *to = context;
	char text[512];

	if (streq(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), "counter")) {
		fputs("[ counter ]", to);
		return 0;
	}
	if (nftnl_expr_snprintf(text, sizeof(text), e, NFTNL_OUTPUT_DEFAULT, 0) < 0)
		return -1;
	/* Skip attributes that the kernel adds as defaults. */
	if (streq(nftnl_expr_get_str(e, NFTNL_EXPR_NAME), "dynset")) {
		char *timeout = strstr(text, " timeout 0ms");

		if (timeout)
			memmove(timeout, timeout + 12, strlen(timeout + 12) + 1);
	}
	fprintf(to, "[ %s %s]", nftnl_expr_get_str(e, NFTNL_EXPR_NAME), text);
	return 0;
}

char *rule_text(struct nftnl_rule *r)
{
	_cleanup_text_ struct text text;

	if (!text_begin(&text) || nftnl_expr_foreach(r, expr_print, text.to) < 0)
		return NULL;
	return text_end(&text);
}
