"""SET options: the value that a session has, where it comes from, and which options a module stores.

An option has the value that the session set; else that of the database option with its name; else that of the server's
`user options` at login.
"""
from .errors import error
from .events import SqlError

# The bits of @@OPTIONS.
BITS = {"IMPLICIT_TRANSACTIONS": 2, "CURSOR_CLOSE_ON_COMMIT": 4, "ANSI_WARNINGS": 8,
        "ANSI_PADDING": 16, "ANSI_NULLS": 32, "ARITHABORT": 64, "ARITHIGNORE": 128,
        "QUOTED_IDENTIFIER": 256, "NOCOUNT": 512, "ANSI_NULL_DFLT_ON": 1024,
        "ANSI_NULL_DFLT_OFF": 2048, "CONCAT_NULL_YIELDS_NULL": 4096, "NUMERIC_ROUNDABORT": 8192,
        "XACT_ABORT": 16384}
# Options that are set for a login with the ODBC flag.
ODBC = ("QUOTED_IDENTIFIER", "ANSI_NULLS", "ANSI_PADDING", "ANSI_WARNINGS", "ANSI_NULL_DFLT_ON",
        "CONCAT_NULL_YIELDS_NULL")
# Options that SET ANSI_DEFAULTS sets.
ANSI_DEFAULTS = ODBC[:5] + ("CURSOR_CLOSE_ON_COMMIT", "IMPLICIT_TRANSACTIONS")
DATABASE_OPTIONS = ("ANSI_NULL_DEFAULT", "ANSI_NULLS", "ANSI_PADDING", "ANSI_WARNINGS", "ARITHABORT",
                    "CONCAT_NULL_YIELDS_NULL", "NUMERIC_ROUNDABORT", "QUOTED_IDENTIFIER",
                    "CURSOR_CLOSE_ON_COMMIT")
# For indexed views, filtered indexes and XML methods; with ANSI_WARNINGS on, ARITHABORT counts as on.
WANTED_ON = ("ANSI_NULLS", "ANSI_PADDING", "ANSI_WARNINGS", "CONCAT_NULL_YIELDS_NULL",
             "QUOTED_IDENTIFIER")
OF_MODULES = ("QUOTED_IDENTIFIER", "ANSI_NULLS")
USER_OPTIONS = 1534     # its number in sys.configurations
# Name in SET LANGUAGE, in lower case: (name, date format, first day of the week).
LANGUAGES = {"us_english": ("us_english", "mdy", 7), "english": ("us_english", "mdy", 7),
             "british": ("British", "dmy", 1), "british english": ("British", "dmy", 1),
             "deutsch": ("Deutsch", "dmy", 1), "german": ("Deutsch", "dmy", 1),
             "français": ("Français", "dmy", 1), "french": ("Français", "dmy", 1),
             "italiano": ("Italiano", "dmy", 1), "italian": ("Italiano", "dmy", 1),
             "español": ("Español", "dmy", 1), "spanish": ("Español", "dmy", 1),
             "nederlands": ("Nederlands", "dmy", 1), "dutch": ("Nederlands", "dmy", 1),
             "türkçe": ("Türkçe", "dmy", 1), "turkish": ("Türkçe", "dmy", 1),
             "svenska": ("Svenska", "ymd", 1), "swedish": ("Svenska", "ymd", 1)}


class Settings:
    def __init__(self, catalogue, odbc, language=None):
        features = catalogue.features
        self.explicit = {}
        self.given = features.user_options | catalogue.configurations[USER_OPTIONS].in_use
        if not features.session_settings:       # as an administrator's tool begins
            self.explicit = dict.fromkeys(ODBC + ("ARITHABORT",), True)
        elif odbc:
            self.explicit = dict.fromkeys(ODBC, True)
            self.given &= ~(BITS["IMPLICIT_TRANSACTIONS"] | BITS["CURSOR_CLOSE_ON_COMMIT"])
        self.lock_timeout, self.row_limit, self.text_size = -1, 0, 2147483647
        self.isolation = "READ COMMITTED"
        self.deadlock_priority, self.cost_limit = 0, features.cost_limit
        self.language, self.date_format, self.date_first = LANGUAGES.get(
            (language or "").lower(), LANGUAGES["us_english"])

    def copy(self):
        other = object.__new__(Settings)
        other.__dict__.update(self.__dict__, explicit=dict(self.explicit))
        return other

    def is_on(self, name, db):
        if name in self.explicit:
            return self.explicit[name]
        if name in DATABASE_OPTIONS and name in db.fields.set_options:
            return True
        return bool(self.given & BITS.get(name, 0))

    def set(self, name, value):
        if name == "ANSI_DEFAULTS":
            for each in ANSI_DEFAULTS:
                self.explicit[each] = value
            return
        self.explicit[name] = value
        other = {"ANSI_NULL_DFLT_ON": "ANSI_NULL_DFLT_OFF", "ANSI_NULL_DFLT_OFF": "ANSI_NULL_DFLT_ON"}
        if value and name in other:
            self.explicit[other[name]] = False

    def bits(self, db):
        """What @@OPTIONS answers."""
        return sum(bit for name, bit in BITS.items() if self.is_on(name, db))

    def set_language(self, name):
        known = LANGUAGES.get(name.lower())
        if known is None:
            raise SqlError(2740, f"SET LANGUAGE failed because '{name}' is not an official language name "
                                 "or a language alias on this SQL Server.", 16)
        self.language, self.date_format, self.date_first = known

    def set_deadlock_priority(self, word):
        named = {"LOW": -5, "NORMAL": 0, "HIGH": 5}
        self.deadlock_priority = named[word.upper()] if word.upper() in named else int(word)

    def set_date_format(self, order):
        if sorted(order.lower()) != ["d", "m", "y"]:
            raise SqlError(2741, f"SET DATEFORMAT date order '{order}' is invalid.", 16)
        self.date_format = order.lower()

    def of_module(self, obj):
        """The settings under which a module runs: two are its own, all else is its caller's."""
        other = self.copy()
        for name in OF_MODULES:
            other.explicit[name] = name in getattr(obj, "made_with", OF_MODULES)
        return other

    def made_with(self, db):
        """What a module that is made now keeps for good."""
        return tuple(name for name in OF_MODULES if self.is_on(name, db))

    def faults_are_null(self, db):
        """Whether a division by zero gives NULL and a warning."""
        return not self.is_on("ARITHABORT", db) and not self.is_on("ANSI_WARNINGS", db)

    def require_for_indexes(self, db, verb):
        """1934 unless the options are as XML methods, indexed views and filtered indexes want them."""
        wrong = [name for name in WANTED_ON if not self.is_on(name, db)]
        if not self.is_on("ARITHABORT", db) and not self.is_on("ANSI_WARNINGS", db):
            wrong.append("ARITHABORT")
        if self.is_on("NUMERIC_ROUNDABORT", db):
            wrong.append("NUMERIC_ROUNDABORT")
        if wrong:
            raise error(1934, verb=verb, options=", ".join(wrong))
