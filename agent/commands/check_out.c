/* Where the checks say what they find. */
#include <stdarg.h>

#include "commands/preview_files.h"
#include "program/problems.h"
#include "program/visible_text.h"

void check_out_tell(const struct check_out *out, enum severity severity, const char *file,
	const char *format, ...)
{
	_cleanup_free_ char *text = NULL;
	va_list args;

	va_start(args, format);
	if (!out->to)
		problems_add(out->problems, severity, file, 0, format, args);
	else if (vasprintf(&text, format, args) < 0)
		text = NULL;
	va_end(args);
	if (text)
		text_printf(out->to, "%s: %s: %s\n", file,
			severity == SEVERITY_ADVICE ? "advice" : "warning", text);
}
