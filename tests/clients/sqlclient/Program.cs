// What SSMS does by its own library: each check is one line, `ok - NAME` or `not ok - NAME`.
// The connection comes as JSON on standard input, because it holds passwords.
using System.Data;
using System.Text.Json;
using Microsoft.Data.SqlClient;

var given = JsonSerializer.Deserialize<Dictionary<string, string>>(Console.In.ReadToEnd())!;
var failed = 0;

string Connect(string password, Action<SqlConnectionStringBuilder>? change = null)
{
    var builder = new SqlConnectionStringBuilder
    {
        DataSource = given["server"],
        HostNameInCertificate = given["name"],
        UserID = given["user"],
        Password = password,
        InitialCatalog = given["database"],
        Encrypt = SqlConnectionEncryptOption.Mandatory,
        TrustServerCertificate = false,
        ConnectTimeout = 30,
        ConnectRetryCount = 0,
        Pooling = false,
    };
    change?.Invoke(builder);
    return builder.ConnectionString;
}

SqlConnection Open(Action<SqlConnectionStringBuilder>? change = null)
{
    var connection = new SqlConnection(Connect(given["new_password"], change));
    connection.Open();
    return connection;
}

void Check(string name, Action body)
{
    try
    {
        body();
        Console.WriteLine($"ok - {name}");
    }
    catch (Exception e)
    {
        failed++;
        Console.WriteLine($"not ok - {name}");
        foreach (var line in e.ToString().Split('\n'))
            Console.WriteLine($"# {line}");
    }
}

void Equal<T>(T wanted, T found)
{
    if (!EqualityComparer<T>.Default.Equals(wanted, found))
        throw new InvalidOperationException($"wanted <{wanted}>, found <{found}>");
}

SqlException Refused(Action body, int? number = null)
{
    try
    {
        body();
    }
    catch (SqlException e)
    {
        if (number is { } wanted)
            Equal(wanted, e.Number);
        return e;
    }
    throw new InvalidOperationException("was not refused");
}

object? One(SqlConnection connection, string text, SqlTransaction? transaction = null, params SqlParameter[] values)
{
    using var command = new SqlCommand(text, connection, transaction);
    command.Parameters.AddRange(values);
    return command.ExecuteScalar();
}

void TryOpen(string text)
{
    using var connection = new SqlConnection(text);
    connection.Open();
}

// Whom it trusts is OpenSSL's matter here: the runner names the authorities in SSL_CERT_FILE.
if (args is ["untrusted"] or ["misnamed"])
{
    Check($"a certificate is refused: {args[0]}", () =>
    {
        var e = Refused(() => TryOpen(Connect(given["password"])));
        Equal(true, e.ToString().Contains("certificate", StringComparison.OrdinalIgnoreCase));
    });
    return failed;
}
if (args is ["first"])
{
    Check("Strict (TDS 8.0) is refused before a login is sent", () =>
        Refused(() => TryOpen(Connect(given["password"], b => b.Encrypt = SqlConnectionEncryptOption.Strict))));
    Check("the one-time password lets nobody in", () => Refused(() => TryOpen(Connect(given["password"])), 18488));
    Check("the first login changes the password", () =>
        SqlConnection.ChangePassword(Connect(given["password"]), given["new_password"]));
    Check("the one-time password is gone", () => Refused(() => TryOpen(Connect(given["password"])), 18456));
    return failed;
}
Check("another database is refused", () =>
    Refused(() => Open(b => b.InitialCatalog = given["other_database"]), 4060));
Check("without a database the login lands in master", () =>
{
    using var connection = Open(b => b.Remove("Initial Catalog"));
    Equal("master", One(connection, "SELECT DB_NAME()"));
    Equal("master", connection.Database);
});
Check("version and names", () =>
{
    using var connection = Open();
    Equal(given["database"], connection.Database);
    Equal(given["user"], One(connection, "SELECT ORIGINAL_LOGIN()"));
    Equal("16.00.4135", connection.ServerVersion);
});
Check("parameters of every common type come back as they were", () =>
{
    using var connection = Open();
    object[] values =
    [
        true, (byte)200, (short)-3, 5, 1L << 40, 1.5, 2.5f, 12.3400m, "ä ] ' \u20ac", new byte[] { 0, 1, 255 },
        Guid.Parse("6f9619ff-8b86-d011-b42d-00c04fc964ff"), new DateTime(2026, 11, 23, 9, 0, 0),
    ];
    foreach (var value in values)
    {
        var found = One(connection, "SELECT @p", null, new SqlParameter("@p", value));
        if (value is byte[] bytes)
            Equal(Convert.ToHexString(bytes), Convert.ToHexString((byte[])found!));
        else
            Equal(value, found);
    }
    Equal(new DateTime(2026, 11, 23, 9, 0, 0).AddTicks(1234560), One(connection, "SELECT @p", null,
        new SqlParameter("@p", SqlDbType.DateTime2) { Value = new DateTime(2026, 11, 23, 9, 0, 0).AddTicks(1234560) }));
    Equal(new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.FromHours(2)), One(connection, "SELECT @p", null,
        new SqlParameter("@p", new DateTimeOffset(2026, 11, 23, 9, 0, 0, TimeSpan.FromHours(2)))));
    Equal(new TimeSpan(0, 23, 59, 58), One(connection, "SELECT @p", null,
        new SqlParameter("@p", new TimeSpan(0, 23, 59, 58))));
    Equal(DBNull.Value, One(connection, "SELECT @p", null,
        new SqlParameter("@p", SqlDbType.NVarChar, 10) { Value = DBNull.Value }));
});
Check("rows by parameters, an output parameter, the number of rows", () =>
{
    using var connection = Open();
    using var command = new SqlCommand(
        "SET @count = (SELECT COUNT(*) FROM dbo.Orders); UPDATE dbo.Orders SET Customer = Customer WHERE Id = @id",
        connection);
    command.Parameters.AddWithValue("@id", 1);
    var count = command.Parameters.Add("@count", SqlDbType.Int);
    count.Direction = ParameterDirection.Output;
    Equal(1, command.ExecuteNonQuery());
    Equal(2, (int)count.Value);
});
Check("a prepared statement runs twice", () =>
{
    using var connection = Open();
    using var command = new SqlCommand("SELECT Customer FROM dbo.Orders WHERE Id = @id", connection);
    command.Parameters.Add("@id", SqlDbType.Int).Value = 1;
    command.Prepare();
    Equal("Ada", command.ExecuteScalar());
    command.Parameters[0].Value = 2;
    Equal("Bert", command.ExecuteScalar());
});
Check("an error of a statement has its number and line", () =>
{
    using var connection = Open();
    var e = Refused(() => One(connection, "SELECT 1;\nSELECT x FROM dbo.Nowhere"), 208);
    Equal(2, e.LineNumber);
    Equal(1, One(connection, "SELECT 1"));
});
Check("20,000 characters in a parameter", () =>
{
    using var connection = Open();
    var text = string.Concat(Enumerable.Repeat("0123456789", 2000));
    Equal(text, One(connection, "SELECT @p", null, new SqlParameter("@p", text)));
    Equal(20000L, Convert.ToInt64(One(connection, "SELECT LEN(@p)", null, new SqlParameter("@p", text))));
});
Check("an emoji is two units, as text and as a parameter", () =>
{
    using var connection = Open();
    Equal("\U0001F600", One(connection, "SELECT N'\U0001F600'"));
    Equal("\U0001F600", One(connection, "SELECT @p", null, new SqlParameter("@p", "\U0001F600")));
    Equal("2 4", One(connection, "SELECT CONCAT(LEN(N'\U0001F600'), N' ', DATALENGTH(N'\U0001F600'))"));
    Equal("2 4", One(connection, "SELECT CONCAT(LEN(@p), N' ', DATALENGTH(@p))", null,
        new SqlParameter("@p", "\U0001F600")));
    Equal("b", One(connection, "SELECT SUBSTRING(N'\U0001F600b', 3, 1)"));
});
Check("named transactions and savepoints", () =>
{
    using var connection = Open();
    using (var transaction = connection.BeginTransaction("curfew-\u00e9"))
    {
        One(connection, "INSERT INTO dbo.Orders (Id, Customer) VALUES (10, N'kept')", transaction);
        transaction.Save("point");
        One(connection, "INSERT INTO dbo.Orders (Id, Customer) VALUES (11, N'dropped')", transaction);
        transaction.Rollback("point");
        Equal(1, One(connection, "SELECT @@TRANCOUNT", transaction));
        transaction.Commit();
    }
    Equal(0, One(connection, "SELECT @@TRANCOUNT"));
    Equal("10", One(connection, "SELECT STRING_AGG(CONVERT(varchar(9), Id), ',') FROM dbo.Orders WHERE Id IN (10, 11)"));
    using (var transaction = connection.BeginTransaction(IsolationLevel.Serializable, "undone"))
    {
        One(connection, "DELETE FROM dbo.Orders WHERE Id = 10", transaction);
        transaction.Rollback("undone");
    }
    Equal(1, One(connection, "SELECT COUNT(*) FROM dbo.Orders WHERE Id = 10"));
    One(connection, "DELETE FROM dbo.Orders WHERE Id = 10");
});
Check("a pooled connection is reset before it is used again", () =>
{
    void Pooled(SqlConnectionStringBuilder b)
    {
        b.Pooling = true;
        b.MaxPoolSize = 1;
    }
    object? session;
    using (var connection = Open(Pooled))
    {
        session = One(connection, "SELECT @@SPID");
        One(connection, "SET LOCK_TIMEOUT 1234; CREATE TABLE #mine (Id int); BEGIN TRANSACTION; " +
            "INSERT INTO dbo.Orders (Id, Customer) VALUES (12, N'open'); USE [master]");
    }
    using (var connection = Open(Pooled))
    {
        Equal(session, One(connection, "SELECT @@SPID"));
        Equal(0, One(connection, "SELECT @@TRANCOUNT"));
        Equal(-1, One(connection, "SELECT @@LOCK_TIMEOUT"));
        Equal(given["database"], One(connection, "SELECT DB_NAME()"));
        Equal(0, One(connection, "SELECT COUNT(*) FROM dbo.Orders WHERE Id = 12"));
        Refused(() => One(connection, "SELECT COUNT(*) FROM #mine"), 208);
    }
    SqlConnection.ClearAllPools();
});
Check("a statement that takes too long is cancelled, and the connection goes on", () =>
{
    using var connection = Open();
    using var command = new SqlCommand("WAITFOR DELAY '00:01:00'", connection) { CommandTimeout = 1 };
    Refused(() => command.ExecuteNonQuery(), -2);
    Equal(1, One(connection, "SELECT 1"));
});
Check("a statement that is cancelled by its user ends, and the connection goes on", () =>
{
    using var connection = Open();
    using var command = new SqlCommand("WAITFOR DELAY '00:01:00'", connection) { CommandTimeout = 55 };
    using var stop = new CancellationTokenSource(500);
    try
    {
        command.ExecuteNonQueryAsync(stop.Token).GetAwaiter().GetResult();
        throw new InvalidOperationException("was not cancelled");
    }
    catch (Exception e) when (e is SqlException or OperationCanceledException)
    {
    }
    Equal(1, One(connection, "SELECT 1"));
});
Check("MARS is not served: a second open result is refused by name", () =>
{
    using var connection = Open(b => b.MultipleActiveResultSets = true);
    using var first = new SqlCommand("SELECT Id FROM dbo.Orders", connection).ExecuteReader();
    try
    {
        new SqlCommand("SELECT Id FROM dbo.Orders", connection).ExecuteReader();
    }
    catch (InvalidOperationException)
    {
        return;
    }
    throw new InvalidOperationException("two results at once");
});
return failed;
