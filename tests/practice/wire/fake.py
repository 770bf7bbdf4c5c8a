import datetime, decimal, itertools, re, threading, uuid, time
from engine.events import *
class Server:
    def __init__(self, *, name, sa_password, product_version, features):
        self.name=name; self.pw={'sa':sa_password}; self.spids=itertools.count(51); self.sessions={}
    def login(self,*,user,password,database,app,host,address,new_password=None,encrypted=True):
        if database=='gone': raise SqlError(4060,f'Cannot open database "{database}" requested by the login. The login failed.',11)
        if self.pw.get(user)!=password: raise SqlError(18456,f"Login failed for user '{user}'.",14)
        if new_password is not None: self.pw[user]=new_password
        s=Session(self,user,database or 'master'); self.sessions[s.spid]=s; return s
    def run_script(self,text): pass
class Session:
    def __init__(self,server,user,db):
        self.server=server; self.login=user; self.database=db; self.spid=next(server.spids); self.killed=threading.Event(); self.c=threading.Event()
    def cancel(self): self.c.set()
    def close(self): self.server.sessions.pop(self.spid,None)
    def rpc(self,name,params):
        if name=='sp_executesql':
            vals=params[2:]
            yield Columns([Column(n.strip('@') or f'c{i}', *decl(t)) for i,(n,t,v,o) in enumerate(vals)])
            yield Row([v for n,t,v,o in vals]); yield Done(1,False,'SELECT'); return
        raise SqlError(2812,f"Could not find stored procedure '{name}'.",16)
    def execute(self,sql,params=()):
        self.c.clear()
        for st in [x.strip() for x in sql.split(';') if x.strip()]:
            l=st.lower()
            if l.startswith('row '):
                cols=eval(st[4:]); yield Columns([Column(f'c{i}',*c[:-1]) for i,c in enumerate(cols)]); yield Row([c[-1] for c in cols]); yield Done(1,False,'SELECT')
            elif l.startswith('many '):
                n=int(l[5:]); yield Columns([Column('n','int'),Column('t','nvarchar',True,100)])
                for i in range(n): yield Row([i,f'row {i} \u20ac'])
                yield Done(n,False,'SELECT')
            elif l.startswith('kill '): self.server.sessions[int(l[5:])].killed.set(); yield Done(None,False,'')
            elif l.startswith('waitfor'): 
                self.c.wait(30); yield Done(None,False,'')
            elif l.startswith('use '): o=self.database; self.database=st[4:].strip('[]'); yield DatabaseChanged(o,self.database); yield Message(5701,2,0,'changed'); yield Done(None,False,'')
            elif l.startswith('print '): yield Message(0,1,0,st[6:]); yield Done(None,False,'')
            elif l.startswith(('set ','begin tr','commit','rollback','if @@tr')): yield Done(None,False,'')
            elif 'bad' in l: yield Message(208,1,16,"Invalid object name 'bad'."); yield Done(None,False,'')
            else: raise SqlError(102,f"Incorrect syntax near '{st[:20]}'.",15)
def decl(t):
    m=re.match(r'(\w+)(?:\((\w+)(?:,(\d+))?\))?',t); n,a,b=m.groups()
    if a is None: return (n,)
    if n in('decimal',): return (n,True,0,int(a),int(b))
    if n=='datetime2': return (n,True,0,0,int(a))
    return (n,True,-1 if a=='max' else int(a))
