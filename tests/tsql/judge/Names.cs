// No statement names anything but objects of the schema sys, the audit's tables in msdb.dbo, variables, and what is quoted:
// a bare name could mean something that a database's owner has made. Whatever is not known to be harmless is a fault.
using Microsoft.SqlServer.TransactSql.ScriptDom;

internal sealed class Names : TSqlFragmentVisitor
{
    private readonly HashSet<Identifier> harmless = new(ReferenceEqualityComparer.Instance);
    private readonly HashSet<string> ownTables = new(StringComparer.OrdinalIgnoreCase);
    private readonly List<SchemaObjectName> objects = [];
    private readonly List<SchemaObjectName> quoted = [];
    private readonly List<Identifier> all = [];

    public static IEnumerable<string> Check(TSqlFragment tree)
    {
        var names = new Names();
        tree.Accept(names);
        return names.Faults();
    }

    private IEnumerable<string> Faults()
    {
        foreach (var name in objects.Where(name => !IsSafe(name)))
            yield return $"line {name.StartLine}: the name {Shown(name)} is neither sys.NAME nor quoted in two parts";
        foreach (var name in quoted.Where(name => name.Identifiers.Any(part => part.QuoteType == QuoteType.NotQuoted)))
            yield return $"line {name.StartLine}: the name {Shown(name)} is not quoted";
        foreach (var name in all.Where(name => name.QuoteType == QuoteType.NotQuoted && !harmless.Contains(name)))
            yield return $"line {name.StartLine}: the name {name.Value} is not quoted";
    }

    private static string Shown(MultiPartIdentifier name) => string.Join(".", name.Identifiers.Select(part => part.Value));

    private static bool Is(Identifier? part, string value) =>
        part is not null && part.Value.Equals(value, StringComparison.OrdinalIgnoreCase);

    private bool IsSafe(SchemaObjectName name)
    {
        if (name.ServerIdentifier is not null)
            return false;
        if (name.Count == 1)
            return ownTables.Contains(name.BaseIdentifier.Value);
        var database = name.DatabaseIdentifier;
        if (Is(name.SchemaIdentifier, "sys"))
            return database is null || Is(database, "master") || database.QuoteType != QuoteType.NotQuoted;
        return (Is(database, "msdb") && Is(name.SchemaIdentifier, "dbo")) ||
            name.Identifiers.All(part => part.QuoteType != QuoteType.NotQuoted);
    }

    private void Allow(IEnumerable<Identifier> names) => harmless.UnionWith(names.Where(name => name is not null));

    private void Allow(Identifier? name)
    {
        if (name is not null)
            harmless.Add(name);
    }

    public override void Visit(Identifier node) => all.Add(node);

    // Judged as a whole, where it names an object.
    public override void Visit(SchemaObjectName node) => Allow(node.Identifiers);

    public override void Visit(NamedTableReference node) => objects.Add(node.SchemaObject);

    public override void Visit(SchemaObjectFunctionTableReference node) => objects.Add(node.SchemaObject);

    public override void Visit(ProcedureReference node) => objects.Add(node.Name);

    public override void Visit(DropObjectsStatement node)
    {
        // An assembly, and a trigger on the database or the server, is in no schema.
        if (node is DropAssemblyStatement or DropTriggerStatement { TriggerScope: not TriggerScope.Normal })
            quoted.AddRange(node.Objects);
        else
            objects.AddRange(node.Objects);
    }

    public override void Visit(CommonTableExpression node)
    {
        ownTables.Add(node.ExpressionName.Value);
        Allow(node.ExpressionName);
        Allow(node.Columns);
    }

    // Columns of those objects, and what a query calls its own parts.
    public override void Visit(ColumnReferenceExpression node)
    {
        if (node.MultiPartIdentifier is not null)
            Allow(node.MultiPartIdentifier.Identifiers);
    }

    public override void Visit(TableReferenceWithAlias node) => Allow(node.Alias);

    public override void Visit(TableReferenceWithAliasAndColumns node) => Allow(node.Columns);

    public override void Visit(SelectScalarExpression node) => Allow(node.ColumnName?.Identifier);

    public override void Visit(DeclareVariableElement node) => Allow(node.VariableName);

    // Words of the language. A function that belongs to somebody has a call target.
    public override void Visit(FunctionCall node)
    {
        if (node.CallTarget is null)
            Allow(node.FunctionName);
    }

    public override void Visit(DataTypeReference node)
    {
        if (node is SqlDataTypeReference || Is(node.Name?.BaseIdentifier, "sysname"))
            Allow(node.Name!.Identifiers);
        else if (node.Name is not null)
            objects.Add(node.Name);
    }

    public override void Visit(Permission node) => Allow(node.Identifiers);

    public override void Visit(PrimaryExpression node) => Allow(node.Collation);
}
