/* What every reading says of a member of curfew_logins that is not one of Curfew's: `curfew adopt` is for these alone. */
#ifndef CURFEW_UNCLAIMED_H
#define CURFEW_UNCLAIMED_H

#define LOGIN_UNCLAIMED                                                                            \
	"is a member of curfew_logins, but neither this configuration nor the journal names it"

#endif
