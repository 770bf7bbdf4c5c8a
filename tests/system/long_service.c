/* `curfew run` under an instrument: sheds nothing, because no system-call filter admits what instruments need. */
#include <stdio.h>
#include "curfew/service.h"

int main(int argc, char **argv)
{
	if (argc != 2) {
		fputs("usage: service CONFIG\n", stderr);
		return 64;
	}
	const struct service_options o = {.config = argv[1], .unconfined = true};
	return service_run(&o);
}
