from datetime import timedelta

from .common import NOW, CoverageCase

RED, BLUE = ("warm", "hot"), ("frozen", "cool")
FIGURES = ("count", "potential", "revenue", "rated", "red", "blue")


class MapCase(CoverageCase):
    """A base that moved: customers of all sellers, cold and warm, and a prospect."""

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        with cls._on_day(300):
            cls._refresh(NOW - timedelta(days=300))
        cls._create_leaders()
        owners = {"sara": cls.sara, "sam": cls.sam, "olga": cls.olga}
        cls.customers = {}
        for name, user in owners.items():
            for amount, days_ago in ((9_000, 30), (5_000, 250), (1_500, 400)):
                cls.customers[name, amount] = cls._create_known_buyer(
                    amount, name=f"{name} {amount}", user_id=user.id
                )
                with cls._on_day(1):
                    order = cls.customers[name, amount].sale_order_ids
                    order.date_order = NOW - timedelta(days=days_ago)
        with cls._on_day(1):
            cls.prospect = cls._create_customer("Prospect", user_id=cls.sara.id)
            cls._create_quotation(cls.prospect, 100)
            cls._refresh(NOW - timedelta(days=1))
        cls.env.flush_all()

    def _map(self, domain=None, user=None, **options):
        """Return the map of somebody, by default of the one whose test it is."""
        env = self.env(user=user) if user else self.env
        return env["coverage.customer"].get_map(domain or [], **options)

    def _get_rows(self, domain=(), user=None):
        """Return what somebody's list would show: without prospects."""
        env = self.env(user=user) if user else self.env
        domain = [
            *domain,
            ("company_id", "=", self.company.id),
            ("lifecycle", "!=", "prospect"),
        ]
        return env["coverage.customer"].search(domain)

    def _add_up(self, rows):
        """Return the figures of these rows, one by one."""
        codes = [row.temperature_code for row in rows if row.temperature_id]
        return {
            "count": len(rows),
            "potential": round(sum(rows.mapped("potential")), 2),
            "revenue": round(sum(rows.mapped("revenue_12m")), 2),
            "rated": len(codes),
            "red": sum(code in RED for code in codes),
            "blue": sum(code in BLUE for code in codes),
        }

    def assertFigures(self, found, rows):
        self.assertEqual({name: found[name] for name in FIGURES}, self._add_up(rows))
