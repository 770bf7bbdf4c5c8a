/* Used by sql/ and the rooms above it: where the server takes sessions, in the form of "endpoints". The loopback is no way
 * for users: the administrator connection listens there. */
#ifndef CURFEW_SQL_LISTENER_H
#define CURFEW_SQL_LISTENER_H

#define LISTENER_AT                                                                                \
	"CASE WHEN t.is_ipv4 = 1 THEN t.ip_address ELSE N'[' + t.ip_address + N']' END\n"          \
	"  + N':' + CAST(t.port AS nvarchar(10))"
#define LISTENERS                                                                                  \
	"FROM sys.dm_tcp_listener_states AS t\n"                                                   \
	"WHERE t.type = 0 AND t.port <> 0 AND LEFT(t.ip_address, 4) <> N'127.' AND t.ip_address <> N'::1';\n"

#endif
