"""SQL Server Agent: jobs, steps, schedules, alerts, and proxies in msdb. Nothing here runs a job."""
import uuid

from .catalogue import now_text
from .errors import error
from .events import SqlError
from .exec_procedures import SYSTEM
from .state import Rec
from .views import view


@view("sysjobs", "job_id:u originating_server_id:i name:n enabled:t description:k start_step_id:i "
      "category_id:i owner_sid:v date_created:d date_modified:d version_number:i", "dbo", "msdb")
def _sysjobs(env, db):
    for j in env.engine.catalogue.jobs.values():
        yield j.id, 0, j.name, j.enabled, "", 1, 0, j.owner_sid, j.created, j.created, 1


@view("sysjobsteps", "job_id:u step_id:i step_name:n subsystem:n command:m database_name:n "
      "database_user_name:n proxy_id:i", "dbo", "msdb")
def _sysjobsteps(env, db):
    for j in env.engine.catalogue.jobs.values():
        for i, s in enumerate(j.steps, 1):
            yield j.id, i, s["name"], s["subsystem"], s["command"], s["database"], None, s.get("proxy")


@view("sysschedules", "schedule_id:i schedule_uid:u originating_server_id:i name:n owner_sid:v enabled:i freq_type:i "
      "freq_interval:i freq_subday_type:i freq_subday_interval:i freq_relative_interval:i freq_recurrence_factor:i "
      "active_start_date:i active_end_date:i active_start_time:i active_end_time:i date_created:d date_modified:d "
      "version_number:i", "dbo", "msdb")
def _sysschedules(env, db):
    for s in env.engine.catalogue.schedules.values():
        yield (s.id, s.uid, 0, s.name, s.owner_sid, s.enabled, s.freq_type, s.freq_interval, 0, 0, 0, 0, s.start_date,
               99991231, s.start_time, 235959, s.created, s.created, 1)


@view("sysjobschedules", "schedule_id:i job_id:u next_run_date:i next_run_time:i", "dbo", "msdb")
def _sysjobschedules(env, db):
    for s in env.engine.catalogue.schedules.values():
        yield s.id, s.job, 0, 0


@view("sysalerts", "id:i name:n event_source:n message_id:i severity:i enabled:t database_name:n performance_condition:k "
      "job_id:u", "dbo", "msdb")
def _sysalerts(env, db):
    for a in env.engine.catalogue.alerts.values():
        yield a.id, a.name, "MSSQLSERVER", a.message_id, a.severity, a.enabled, None, None, a.job


@view("sysproxies", "proxy_id:i name:n credential_id:i enabled:t description:k user_sid:v "
      "credential_date_created:d", "dbo", "msdb")
def _sysproxies(env, db):
    for p in env.engine.catalogue.proxies.values():
        yield p.id, p.name, p.credential, p.enabled, "", None, p.created


@view("sysproxylogin", "proxy_id:i sid:v flags:i", "dbo", "msdb")
def _sysproxylogin(env, db):
    for proxy, sid in env.engine.catalogue.proxy_logins:
        yield proxy, sid, 0


class JobExecutor:
    def _job(self, env, g, changes=True):
        """Those of others only a sysadmin changes."""
        for j in self.engine.catalogue.jobs.values():
            if j.name.casefold() == (g.get("job_name") or "").casefold():
                login = self.engine.catalogue.principals.find(env.login_name())
                if changes and not self.engine.security.is_sysadmin(env.ctx) and \
                        bytes(j.owner_sid) != bytes(login.sid if login else b""):
                    break
                return j
        raise SqlError(14262, f"The specified @job_name ('{g.get('job_name')}') does not exist.", 16)

    def _sp_add_job(self, env, g):
        cat = self.engine.catalogue
        name = g.get("owner_login_name") or env.login_name()
        owner = cat.principals.find(name)
        sid = owner.sid if owner else cat.other_sid(name)
        if sid is None:
            raise SqlError(14234, "The specified '@owner_login_name' is invalid.", 16)
        id_ = str(uuid.uuid4()).upper()
        cat.jobs[id_] = Rec(cat, id=id_, name=g.get("job_name"), enabled=g.get("enabled", 1),
                            owner_sid=sid, created=now_text(), steps=[])

    def _sp_update_job(self, env, g):
        job = self._job(env, g)
        if "enabled" in g:
            job.enabled = g["enabled"]
        if g.get("owner_login_name"):
            owner = self.engine.catalogue.principals.find(g["owner_login_name"])
            if owner is None:
                raise SqlError(14234, "The specified '@owner_login_name' is invalid.", 16)
            job.owner_sid = owner.sid

    def _sp_add_jobstep(self, env, g):
        job = self._job(env, g)
        job.steps = job.steps + [{"name": g.get("step_name"), "command": g.get("command"),
                                  "subsystem": g.get("subsystem", "TSQL"), "database": g.get("database_name", "master")}]

    def _sp_update_jobstep(self, env, g):
        job, number = self._job(env, g), g.get("step_id") or 0
        if not 0 < number <= len(job.steps):
            raise SqlError(14262, f"The specified @step_id ('{number}') does not exist.", 16)
        names = {"step_name": "name", "command": "command", "subsystem": "subsystem", "database_name": "database"}
        step = {**job.steps[number - 1], **{mine: g[theirs] for theirs, mine in names.items() if theirs in g}}
        job.steps = job.steps[:number - 1] + [step] + job.steps[number:]

    def _sp_delete_job(self, env, g):
        job = self._job(env, g)
        for register in (self.engine.catalogue.schedules, self.engine.catalogue.alerts):
            for id_, s in list(register.items()):
                if s.job == job.id:
                    del register[id_]
        del self.engine.catalogue.jobs[job.id]

    def _sp_add_jobschedule(self, env, g):
        cat, job = self.engine.catalogue, self._job(env, g)
        id_ = max([0] + list(cat.schedules)) + 1
        cat.schedules[id_] = Rec(cat, id=id_, uid=str(uuid.uuid4()).upper(), name=g.get("name"), job=job.id,
                                 owner_sid=job.owner_sid, enabled=g.get("enabled", 1), freq_type=g.get("freq_type", 0),
                                 freq_interval=g.get("freq_interval", 0), start_date=g.get("active_start_date", 20000101),
                                 start_time=g.get("active_start_time", 0), created=now_text())

    def _sp_update_schedule(self, env, g):
        if not self.engine.security.is_sysadmin(env.ctx):
            raise error(15247)
        for s in self.engine.catalogue.schedules.values():
            if s.name.casefold() == (g.get("name") or "").casefold():
                s.enabled = g.get("enabled", s.enabled)
                return
        raise SqlError(14262, f"The specified @schedule_name ('{g.get('name')}') does not exist.", 16)

    def _sp_add_alert(self, env, g):
        cat = self.engine.catalogue
        if not self.engine.security.is_sysadmin(env.ctx):
            raise error(15247)
        id_ = max([0] + list(cat.alerts)) + 1
        cat.alerts[id_] = Rec(cat, id=id_, name=g.get("name"), message_id=g.get("message_id", 0),
                              severity=g.get("severity", 0), enabled=g.get("enabled", 1),
                              job=self._job(env, g).id if g.get("job_name") else None)

    def _sp_delete_alert(self, env, g):
        if not self.engine.security.is_sysadmin(env.ctx):
            raise error(15247)
        for id_, a in list(self.engine.catalogue.alerts.items()):
            if a.name.casefold() == (g.get("name") or "").casefold():
                del self.engine.catalogue.alerts[id_]
                return
        raise SqlError(14262, f"The specified @name ('{g.get('name')}') does not exist.", 16)

    def _proxy(self, env, g):
        if not self.engine.security.is_sysadmin(env.ctx):
            raise error(15247)
        for p in self.engine.catalogue.proxies.values():
            if p.name.casefold() == (g.get("proxy_name") or "").casefold():
                return p
        raise SqlError(14262, f"The specified @proxy_name ('{g.get('proxy_name')}') does not exist.", 16)

    def _sp_grant_login_to_proxy(self, env, g):
        proxy, login = self._proxy(env, g), self.engine.catalogue.principals.find(g.get("login_name") or "")
        if login is None:
            raise SqlError(14520, f"\"{g.get('login_name')}\" is not a valid SQL Server standard login.", 16)
        self.engine.catalogue.proxy_logins[(proxy.id, bytes(login.sid))] = True

    def _sp_revoke_login_from_proxy(self, env, g):
        proxy, login = self._proxy(env, {"proxy_name": g.get("proxy_name")}), \
            self.engine.catalogue.principals.find(g.get("name") or "")
        self.engine.catalogue.proxy_logins.pop((proxy.id, bytes(login.sid)), None)

    def _sp_add_proxy(self, env, g):
        cat = self.engine.catalogue
        if not self.engine.security.is_sysadmin(env.ctx):
            raise error(15247)
        credential = cat.credentials.find(g.get("credential_name") or "")
        if credential is None:
            raise SqlError(14262, f"The specified @credential_name ('{g.get('credential_name')}') does not "
                                  "exist.", 16)
        id_ = max([0] + list(cat.proxies)) + 1
        cat.proxies[id_] = Rec(cat, id=id_, name=g.get("proxy_name"), credential=credential.id,
                               enabled=g.get("enabled", 1), created=now_text())

    def _sp_delete_proxy(self, env, g):
        cat = self.engine.catalogue
        del cat.proxies[self._proxy(env, g).id]

_JOB = "job_id job_name"
SYSTEM.update({name: (columns.split(), name) for name, columns in {
    "sp_add_job": "job_name enabled description start_step_id category_name category_id owner_login_name",
    "sp_update_job": _JOB + " new_name enabled description start_step_id category_name owner_login_name",
    "sp_delete_job": _JOB,
    "sp_add_jobstep": _JOB + " step_id step_name subsystem command database_name",
    "sp_update_jobstep": _JOB + " step_id step_name subsystem command database_name",
    "sp_add_jobschedule": _JOB + " name enabled freq_type freq_interval active_start_date active_start_time",
    "sp_update_schedule": "schedule_id name enabled",
    "sp_add_alert": "name message_id severity enabled job_id job_name",
    "sp_delete_alert": "name",
    "sp_add_proxy": "proxy_name enabled description credential_name credential_id",
    "sp_delete_proxy": "proxy_id proxy_name",
    "sp_grant_login_to_proxy": "login_name fixed_server_role msdb_role proxy_id proxy_name",
    "sp_revoke_login_from_proxy": "name proxy_id proxy_name"}.items()})
