"""Collation labels in the binder: the collation under which two texts are compared, and where there is none."""
from . import collations
from .collations import COERCIBLE, canonical, physical
from .errors import error

OPERATIONS = {"=": "equal to", "<>": "not equal to", "<": "less than", ">": "greater than",
              "<=": "less than or equal to", ">=": "greater than or equal to"}


class CollationBinder:
    """Where the rule is not kept, texts meet under the first operand's collation, as they are."""

    def _kept(self):
        return self.engine.catalogue.features.collations

    def label_joined(self, operator, bounds):
        labels = [b.label for b in bounds]
        if self._kept():
            return collations.joined(operator, labels)
        return next((x for x in labels if x.kind == "explicit"),
                    next((x for x in labels if x.kind != "coercible"), COERCIBLE))

    def label_settled(self, operator, bounds):
        if self._kept():
            return collations.settled(operator, [b.label for b in bounds])
        return self.label_joined(operator, bounds)

    def label_shown(self, label, column, statement="SELECT"):
        collations.shown(label, statement, column)

    def collate(self, label):
        """" COLLATE x" for SQLite; what is coercible takes the batch's database's."""
        name = label.name or self.env.batch_collation
        return " COLLATE " + physical(name)

    def collation_named(self, name):
        upper = name.upper()
        if upper == "DATABASE_DEFAULT":
            return self.db.fields.collation
        if upper == "CATALOG_DEFAULT":
            return self.db.catalogue_collation
        return canonical(name)

    def view_label(self, column, db):
        """Of a catalogue view's column: fixed, the database's or the server's."""
        if column.collation == "fixed":
            return collations.implicit(collations.FIXED)
        if column.collation == "server":
            return collations.implicit(self.engine.catalogue.collation)
        return collations.implicit(db.catalogue_collation if column.collation else "")

    def once_explicit(self, label):
        if label.kind == "explicit" and self._kept():
            raise error(445)
