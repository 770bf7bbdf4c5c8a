/* HTML with escaped text. In case an escape is missing, each page has a policy that forbids scripts and external
 * content. */
#include "report/html.h"

#include "program/visible_text.h"
#include "curfew/text.h"

#include <errno.h>
#include <sodium.h>
#include <stdarg.h>
#include <string.h>

static void html_character(FILE *to, uint32_t c)
{
	char shown[TEXT_SHOWN_MAX];
	size_t n = text_put_shown(shown, c);

	for (size_t i = 0; i < n; i++) {
		switch (shown[i]) {
		case '&':
			fputs("&amp;", to);
			break;
		case '<':
			fputs("&lt;", to);
			break;
		case '>':
			fputs("&gt;", to);
			break;
		case '"':
			fputs("&quot;", to);
			break;
		case '\'':
			fputs("&#39;", to);
			break;
		default:
			fputc(shown[i], to);
		}
	}
}

void html_text(FILE *to, const char *text)
{
	uint32_t c;

	while (text && (c = text_next(&text)) != 0)
		html_character(to, c);
}

/* A login or an address may wrap only after its separators. */
void html_name(FILE *to, const char *text)
{
	uint32_t c;

	while (text && (c = text_next(&text)) != 0) {
		html_character(to, c);
		if (strchr(".@_-\\", (int)c) && c < 0x80)
			fputs("<wbr>", to);
	}
}

void html_lines(FILE *to, const char *text)
{
	uint32_t c;

	while (text && (c = text_next(&text)) != 0) {
		if (c == '\n')
			fputc('\n', to);
		else if (c != '\r')
			html_character(to, c);
	}
}

struct html_arguments {
	va_list list;
};

static int html_argument(FILE *to, const char *at, void *context)
{
	struct html_arguments *args = context;

	switch (*at) {
	case 's':
		html_text(to, va_arg(args->list, const char *));
		return 1;
	case 'd':
		fprintf(to, "%d", va_arg(args->list, int));
		return 1;
	case 'u':
		fprintf(to, "%u", va_arg(args->list, unsigned));
		return 1;
	case 'z':
		fprintf(to, "%zu", va_arg(args->list, size_t));
		return 2;
	case 'l':
		fprintf(to, "%lld", va_arg(args->list, long long));
		return 3;
	case '%':
		fputc('%', to);
		return 1;
	default:
		abort(); /* unsupported conversion */
	}
}

void html_printf(FILE *to, const char *format, ...)
{
	struct html_arguments args;

	va_start(args.list, format);
	template_write(to, format, html_argument, &args);
	va_end(args.list);
}

/* A variable for each color, so that print and dark mode change colors in one place. */
static const char sheet[] =
	".practice{position:fixed;top:0;left:0;right:0;margin:0;padding:.3em;text-align:center;background:#b00;color:#fff;font-weight:bold}"
	":root{--ink:#17202b;--soft:#5a6675;--line:#d8dee6;--paper:#fff;--tint:#f4f6f9;--good:#17643a;"
	"--good-tint:#e4f4ea;--warn:#7a4a00;--warn-tint:#fdf1da;--bad:#9c1c1c;--bad-tint:#fde8e6}"
	"*{box-sizing:border-box}"
	"body{margin:0 auto;padding:2.2rem 2rem 4rem;max-width:76rem;color:var(--ink);background:var(--paper);"
	"font:15px/1.5 system-ui,-apple-system,\"Segoe UI\",\"DejaVu Sans\",sans-serif}"
	"h1{font-size:1.7rem;line-height:1.2;margin:0}"
	"h2{font-size:1.15rem;margin:2.6rem 0 .7rem;padding-bottom:.35rem;border-bottom:2px solid var(--ink)}"
	"h3{font-size:1rem;margin:1.8rem 0 .4rem}"
	"p{margin:.35rem 0}.soft{color:var(--soft)}"
	".state{display:flex;gap:1.1rem;align-items:center;margin:1.4rem 0 1rem;padding:1.1rem 1.3rem;"
	"border:1px solid var(--line);border-left:.5rem solid var(--soft);border-radius:.4rem;background:var(--tint)}"
	".state.good{border-left-color:var(--good)}.state.warn{border-left-color:var(--warn)}"
	".state.bad{border-left-color:var(--bad)}"
	".state b{font-size:1.35rem}"
	".figures{display:grid;grid-template-columns:repeat(auto-fit,minmax(9rem,1fr));gap:.7rem;padding:0;margin:0}"
	".figures div{border:1px solid var(--line);border-radius:.4rem;padding:.6rem .9rem}"
	".figures dt{color:var(--soft);font-size:.85rem}.figures dd{margin:0;font-size:1.35rem;font-weight:600}"
	".wide{overflow-x:auto}"
	"table{border-collapse:collapse;width:100%;font-size:.87rem}"
	"th{text-align:left;color:var(--soft);font-weight:600;white-space:nowrap;border-bottom:1px solid var(--soft)}"
	"tbody th{border-bottom:1px solid var(--line)}th.n{text-align:right}"
	"th,td{padding:.4rem .7rem .4rem 0;vertical-align:top}"
	"td{border-bottom:1px solid var(--line);overflow-wrap:anywhere;min-width:6.5rem}"
	"td.n,td.t,td.w{white-space:nowrap;min-width:0}td.n{text-align:right}"
	"td bdi{unicode-bidi:isolate}"
	".practice+*{padding-top:2.6rem}"
	".wide td{overflow-wrap:break-word}.wide td.t{white-space:normal;min-width:8.4rem}"
	".badge{display:inline-block;padding:0 .5rem;border:1px solid;border-radius:1rem;font-size:.8rem;"
	"font-weight:600;white-space:nowrap}"
	".badge.good{color:var(--good);background:var(--good-tint)}.badge.warn{color:var(--warn);"
	"background:var(--warn-tint)}.badge.bad{color:var(--bad);background:var(--bad-tint)}"
	".badge.dim,.badge.plain{color:var(--soft);font-weight:400}.badge.bold{color:var(--ink)}"
	".finding{border:1px solid var(--line);border-radius:.4rem;padding:.8rem 1.1rem;margin:.7rem 0;overflow-wrap:anywhere}"
	".finding h3{margin:0 0 .3rem;display:flex;gap:.7rem;align-items:center}"
	"pre{margin:.5rem 0 0;padding:.6rem .8rem;background:var(--tint);border-radius:.3rem;white-space:pre-wrap;"
	"overflow-wrap:anywhere;font:.83rem/1.45 ui-monospace,\"DejaVu Sans Mono\",monospace}"
	"code{font:.85em ui-monospace,\"DejaVu Sans Mono\",monospace;overflow-wrap:anywhere;white-space:pre-wrap}"
	"body>svg{display:block;width:100%;height:auto;background:#fff;border:1px solid var(--line);"
	"border-radius:.4rem;margin:.8rem 0}"
	"footer{margin-top:3rem;padding-top:.8rem;border-top:1px solid var(--line);color:var(--soft);font-size:.85rem}"
	"@media print{@page{margin:14mm}body{padding:0;max-width:none;font-size:10pt}h2{break-after:avoid}"
	"tr,.finding,svg,.state{break-inside:avoid}thead{display:table-header-group}.wide{overflow:visible}"
	"table{font-size:8.5pt}td.t{white-space:normal;min-width:6.2rem}}";

static void hash_print(FILE *to, const char *style)
{
	uint8_t hash[crypto_hash_sha256_BYTES];
	char text[sodium_base64_ENCODED_LEN(
		crypto_hash_sha256_BYTES, sodium_base64_VARIANT_ORIGINAL)];

	crypto_hash_sha256(hash, (const uint8_t *)style, strlen(style));
	sodium_bin2base64(text, sizeof(text), hash, sizeof(hash), sodium_base64_VARIANT_ORIGINAL);
	fprintf(to, " 'sha256-%s'", text);
}

/* The policy allows style sheets by hash, so an injected style has no effect. */
static void policy_print(FILE *to, const char *more)
{
	fputs("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; style-src",
		to);
	hash_print(to, sheet);
	if (more)
		hash_print(to, more);
	fputs("; base-uri 'none'; form-action 'none'\">\n", to);
}

void html_begin_styled(FILE *to, const char *title, const char *more)
{
	fputs("<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", to);
	policy_print(to, more);
	html_printf(to,
		"<meta name=\"viewport\" content=\"width=device-width\">\n<meta name=\"referrer\" "
		"content=\"no-referrer\">\n<title>%s</title>\n",
		title);
	fprintf(to, "<style>%s</style>\n", sheet);
	if (more)
		fprintf(to, "<style>%s</style>\n", more);
	fputs("</head>\n<body>\n", to);
}

void html_begin(FILE *to, const char *title)
{
	html_begin_styled(to, title, NULL);
}

int html_end(FILE *to)
{
	fputs("</body>\n</html>\n", to);
	return ferror(to) ? -EIO : 0;
}

void html_cell(FILE *to, const char *class, const char *text)
{
	if (class)
		html_printf(to, "<td class=\"%s\"><bdi>%s</bdi></td>", class,
			text ? text : "\xe2\x80\x93");
	else
		html_printf(to, "<td><bdi>%s</bdi></td>", text ? text : "\xe2\x80\x93");
}

void html_instant_cell(FILE *to, instant_t at, const char *zone)
{
	char local[64], utc[INSTANT_TEXT_MAX];

	html_printf(to, "<td class=\"t\"><time datetime=\"%s\">%s</time></td>",
		instant_format(utc, at), instant_format_local(local, sizeof(local), at, zone));
}

void html_badge(FILE *to, enum tone tone, const char *word)
{
	static const char *const classes[] = {
		[TONE_PLAIN] = "plain",
		[TONE_GOOD] = "good",
		[TONE_WARN] = "warn",
		[TONE_BAD] = "bad",
		[TONE_DIM] = "dim",
		[TONE_BOLD] = "bold",
	};

	html_printf(to, "<span class=\"badge %s\">%s</span>", classes[tone], word);
}
