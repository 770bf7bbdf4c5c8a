// What a program in Node.js does: each check is one line, `ok - NAME` or `not ok - NAME`.
// The connection comes as JSON on standard input, because it holds passwords.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { Connection, ISOLATION_LEVEL, Request, TYPES } from "tedious";

const given = JSON.parse(readFileSync(0, "utf8"));
const [host, port] = given.server.split(",");

function configuration(password, options = {}) {
  return {
    server: host,
    authentication: { type: "default", options: { userName: given.user, password } },
    options: {
      port: Number(port), database: given.database, encrypt: true, trustServerCertificate: false,
      serverName: given.name, connectTimeout: 30000, requestTimeout: 30000, maxRetriesOnTransientErrors: 0,
      rowCollectionOnRequestCompletion: true,
      cryptoCredentialsDetails: { ca: readFileSync(given.ca) },
      ...options,
    },
  };
}

function opened(password = given.new_password, options = {}) {
  return new Promise((resolve, reject) => {
    const connection = new Connection(configuration(password, options));
    connection.on("error", () => {});   // what comes after the connection's end says nothing new
    connection.connect((error) => (error ? reject(error) : resolve(connection)));
  });
}

// The values of all rows of one statement; parameters are [name, type, value, options].
function rows(connection, text, parameters = [], started = () => {}) {
  return new Promise((resolve, reject) => {
    const request = new Request(text, (error, _count, found) =>
      error ? reject(error) : resolve(found.map((row) => row.map((column) => column.value))));
    for (const parameter of parameters) request.addParameter(...parameter);
    connection.execSql(request);
    started(request);
  });
}

const one = async (...more) => (await rows(...more))[0][0];
const step = (connection, verb, ...more) => new Promise((resolve, reject) =>
  connection[verb]((error) => (error ? reject(error) : resolve()), ...more));

async function within(work, options) {
  const connection = await opened(given.new_password, options);
  try {
    return await work(connection);
  } finally {
    connection.close();
  }
}

let failed = 0;
async function check(name, body) {
  try {
    await body();
    console.log(`ok - ${name}`);
  } catch (error) {
    failed++;
    console.log(`not ok - ${name}`);
    for (const line of String(error.stack).split("\n")) console.log(`# ${line}`);
  }
}

const refused = (promise, number) => assert.rejects(promise, (error) => {
  if (number !== undefined) assert.equal(error.number ?? error.cause?.number, number, String(error));
  return true;
});

const part = process.argv[2];
if (part === "untrusted" || part === "misnamed") {
  await check(`a certificate is refused: ${part}`, () =>
    assert.rejects(opened(given.password), /certificate|altnames/i));
  process.exit(failed ? 1 : 0);
}
if (part === "first") {
  await check("Strict (TDS 8.0) is refused before a login is sent", () =>
    assert.rejects(opened(given.password, { encrypt: "strict" }), /alert no application protocol/));
  await check("the one-time password is refused", () => assert.rejects(opened(given.password), /Login failed/));
  process.exit(failed ? 1 : 0);
}
await check("the person's own password lets her in", () =>
  within(async (c) => assert.equal(await one(c, "SELECT ORIGINAL_LOGIN()"), given.user)));
await check("another database is refused", () =>
  assert.rejects(opened(given.new_password, { database: given.other_database }), /Cannot open database|Login failed/));
await check("a batch without parameters", () => within((c) => new Promise((resolve, reject) => {
  c.execSqlBatch(new Request("SELECT COUNT(*) FROM dbo.Orders", (error, _n, found) => {
    if (error) return reject(error);
    assert.equal(found[0][0].value, 2);
    resolve();
  }));
})));
await check("parameters of every common type come back as they were", () => within(async (c) => {
  const moment = new Date(Date.UTC(2026, 10, 23, 9, 0, 0, 120));
  for (const [type, value, options] of [
    [TYPES.Bit, true], [TYPES.TinyInt, 200], [TYPES.SmallInt, -3], [TYPES.Int, 5], [TYPES.BigInt, "1099511627776"],
    [TYPES.Float, 1.5], [TYPES.Real, 2.5], [TYPES.Decimal, 12.34, { precision: 10, scale: 2 }],
    [TYPES.NVarChar, "\u00e4 ] ' \u20ac"], [TYPES.VarChar, "plain"], [TYPES.VarBinary, Buffer.from([0, 1, 255])],
    [TYPES.UniqueIdentifier, "6F9619FF-8B86-D011-B42D-00C04FC964FF"], [TYPES.DateTime, moment],
    [TYPES.DateTime2, moment], [TYPES.DateTimeOffset, moment], [TYPES.NVarChar, null],
  ])
    assert.deepEqual(await one(c, "SELECT @p", [["p", type, value, options]]), value);
}));
await check("a prepared statement runs twice", () => within(async (c) => {
  const found = [];
  const request = new Request("SELECT Customer FROM dbo.Orders WHERE Id = @id", () => {});
  request.addParameter("id", TYPES.Int);
  request.on("row", (columns) => found.push(columns[0].value));
  const run = (verb, ...more) => new Promise((resolve, reject) => {
    request.userCallback = (error) => (error ? reject(error) : resolve());
    request.callback = request.userCallback;
    request.once("prepared", resolve);
    c[verb](request, ...more);
  });
  await run("prepare");
  for (const id of [1, 2]) await run("execute", { id });
  await run("unprepare");
  assert.deepEqual(found, ["Ada", "Bert"]);
}));
await check("20,000 characters in a parameter", () => within(async (c) => {
  const text = "0123456789".repeat(2000);
  assert.equal(await one(c, "SELECT @p", [["p", TYPES.NVarChar, text]]), text);
  assert.equal(Number(await one(c, "SELECT LEN(@p)", [["p", TYPES.NVarChar, text]])), 20000);
}));
await check("an emoji is two units, as text and as a parameter", () => within(async (c) => {
  const face = "\u{1F600}";
  assert.equal(await one(c, `SELECT N'${face}'`), face);
  assert.equal(await one(c, "SELECT @p", [["p", TYPES.NVarChar, face]]), face);
  assert.equal(await one(c, `SELECT LEN(N'${face}')`), 2);
  assert.equal(await one(c, "SELECT LEN(@p)", [["p", TYPES.NVarChar, face]]), 2);
}));
await check("an error of a statement has its number, and the connection goes on", () => within(async (c) => {
  await refused(rows(c, "SELECT x FROM dbo.Nowhere"), 208);
  assert.equal(await one(c, "SELECT 1"), 1);
}));
await check("named transactions and savepoints", () => within(async (c) => {
  await step(c, "beginTransaction", "curfew-\u00e9", ISOLATION_LEVEL.SERIALIZABLE);
  await rows(c, "INSERT INTO dbo.Orders (Id, Customer) VALUES (10, N'kept')");
  await step(c, "saveTransaction", "point");
  await rows(c, "INSERT INTO dbo.Orders (Id, Customer) VALUES (11, N'dropped')");
  await step(c, "rollbackTransaction", "point");
  assert.equal(await one(c, "SELECT @@TRANCOUNT"), 1);
  await step(c, "commitTransaction", "curfew-\u00e9");
  assert.deepEqual(await rows(c, "SELECT Id FROM dbo.Orders WHERE Id IN (10, 11)"), [[10]]);
  await step(c, "beginTransaction", "undone");
  await rows(c, "DELETE FROM dbo.Orders WHERE Id = 10");
  await step(c, "rollbackTransaction", "undone");
  assert.equal(await one(c, "SELECT COUNT(*) FROM dbo.Orders WHERE Id = 10"), 1);
  await rows(c, "DELETE FROM dbo.Orders WHERE Id = 10");
}));
await check("a reset gives the connection back as it was after the login", () => within(async (c) => {
  const session = await one(c, "SELECT @@SPID");
  await rows(c, "SET LOCK_TIMEOUT 1234");
  await step(c, "beginTransaction", "open");
  await rows(c, "INSERT INTO dbo.Orders (Id, Customer) VALUES (12, N'open')");
  await new Promise((resolve, reject) =>
    c.execSqlBatch(new Request("USE [master]", (error) => (error ? reject(error) : resolve()))));
  await new Promise((resolve, reject) => c.reset((error) => (error ? reject(error) : resolve())));
  assert.equal(await one(c, "SELECT @@SPID"), session);
  assert.equal(await one(c, "SELECT @@TRANCOUNT"), 0);
  assert.equal(await one(c, "SELECT @@LOCK_TIMEOUT"), -1);
  assert.equal(await one(c, "SELECT DB_NAME()"), given.database);
  assert.equal(await one(c, "SELECT COUNT(*) FROM dbo.Orders WHERE Id = 12"), 0);
}));
await check("a statement that takes too long is cancelled, and the connection goes on", () => within(async (c) => {
  await assert.rejects(rows(c, "WAITFOR DELAY '00:01:00'"), /Timeout/);
  assert.equal(await one(c, "SELECT 1"), 1);
}, { requestTimeout: 1000 }));
await check("a statement that is cancelled by its user ends, and the connection goes on", () => within(async (c) => {
  await assert.rejects(rows(c, "WAITFOR DELAY '00:01:00'", [], () => setTimeout(() => c.cancel(), 500)), /Canceled/);
  assert.equal(await one(c, "SELECT 1"), 1);
}));
process.exitCode = failed ? 1 : 0;
