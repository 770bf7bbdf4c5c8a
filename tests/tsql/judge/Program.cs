// Reads T-SQL batches, one JSON string a line, and lets SQL Server's own parser read them at every language level that
// Curfew promises. Answers with one JSON object a line: what is wrong with a batch, and at last the counts.
using System.Text.Json;
using Microsoft.SqlServer.TransactSql.ScriptDom;

var parsers = new SortedDictionary<int, TSqlParser>
{
    [130] = new TSql130Parser(true), [140] = new TSql140Parser(true),
    [150] = new TSql150Parser(true), [160] = new TSql160Parser(true),
};
var parsed = parsers.Keys.ToDictionary(level => level, _ => 0);
var templates = new HashSet<string>();
var statements = new Dictionary<int, int>(parsed);

void Tell(object answer) => Console.WriteLine(JsonSerializer.Serialize(answer));

while (Console.ReadLine() is { } line)
{
    var text = JsonSerializer.Deserialize<string>(line)!;
    if (!templates.Add(Template.Of(text)))
        continue;
    TSqlFragment? tree = null;
    foreach (var (level, parser) in parsers)
    {
        tree = parser.Parse(new StringReader(text), out var errors);
        foreach (var e in errors)
            Tell(new { level, error = $"{e.Number}: line {e.Line}: {e.Message}", text });
        if (errors.Count > 0)
            continue;
        parsed[level]++;
        statements[level] += ((TSqlScript)tree).Batches.Sum(batch => batch.Statements.Count);
    }
    foreach (var problem in Names.Check(tree!))
        Tell(new { level = 160, error = problem, text });
}
Tell(new { templates = templates.Count, parsed, statements });
