/* Records of the access of one person to one database. */
#ifndef TESTS_POPULATION_RECORDS_H
#define TESTS_POPULATION_RECORDS_H

#include "report_fixture.h"

#include "curfew/population.h"

#define JANE                                                                                       \
	"{\"user\":\"Jane Doe\",\"email\":\"jane@acme.example\",\"ticket\":\"CS-1\",\"approved_by\":\"lead\",\"approved\":100,\"end\":900}"
#define ACCESS(number, when, what, due)                                                            \
	{                                                                                          \
		.id = (number), .kind = JOURNAL_ACCESS, .at = (when), .client = "acme",            \
		.login = "acme.jane.doe", .server = "sql01", .database = "AcmeTest",               \
		.level = (what), .until = (due), .outcome = "verified", .before = JANE,            \
		.after = ACCESS_ALLOWED, .sources = "203.0.113.7"                                  \
	}

#endif
