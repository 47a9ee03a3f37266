// floor: how fast can the kernel do the work. Raw syscalls only.
//   floor bench    W N [k=v...]   setup + observe + teardown, one JSON line
//   floor setup    W N [k=v...]   leave it standing
//   floor observe  W N [k=v...]   (after setup)
//   floor teardown W N [k=v...]   (after setup)
// W: w1 (star on a bridge), w2 (router chain), w3 (w1 + nft nat table in every ns)
// Needs: root, private mount ns with a writable /run/netns (../compare makes one)
#include "nl.h"
#include <pthread.h>
#include <dirent.h>

static const char *W = "w1"; static int N = 10;
static struct {
  int threads, ipv6, txq1, snoop, brmac, chunk, umthreads, wait, reps;
  const char *veth, *enslave, *up, *bind, *td, *obs, *order, *dir, *brup, *v6ll, *v6port, *sysctl; int ports, pipe; int group; int idxbase; int quiet; int skipstats; int keepns;
} O = { 1, 1, 0, 1, 1, 256, 8, 1, 1, "inside", "create", "create", "mount", "group", "setns", "addr-up", "/run/netns", "last", "yes", "yes", "fsmount", 1000, 0, 77, 1000, 0, 1, 0 };

static void opt(char *a) {
  char *e = strchr(a, '='); if (!e) DIE("bad option %s", a); *e++ = 0; int v = atoi(e);
#define I(f) else if (!strcmp(a, #f)) O.f = v
#define S(f) else if (!strcmp(a, #f)) O.f = e
  if (0) {} I(threads); I(ports); I(pipe); I(ipv6); I(txq1); I(snoop); I(brmac); I(chunk); I(umthreads); I(wait); I(reps); I(group); I(idxbase); I(quiet); I(skipstats); I(keepns);
  S(veth); S(enslave); S(up); S(bind); S(td); S(obs); S(order); S(dir); S(brup); S(v6ll); S(v6port); S(sysctl); else { fprintf(stderr, "unknown option %s\n", a); exit(2); }
}
static int hostns, brx = 900; static int w1like(void) { return W[1] != '2'; }
static double ph[8]; static const char *phn[8] = { "host", "netns", "bind", "sock", "veth", "inns", "nft", "sysctl" };
static void nspath(char *b, int i) { sprintf(b, "%s/n%d", O.dir, i); }
static void wr(const char *p, const char *v) { int f = open(p, O_WRONLY | O_CLOEXEC); if (f < 0) DIE("open %s", p); if (write(f, v, strlen(v)) < 0) DIE("write %s", p); close(f); }
static uint32_t hip(int i) { return 0x0a000000u + 0x100 + i; }              // 10.0.0.0/16 hosts
static uint32_t lip(int i, int right) { return 0x0a010000u + i * 4 + 1 + right; } // p2p /30 of link i

// -------- setup --------
static void mkns(int i, int *nsfd, int *sk, int *nfsk, double *p) {
  char path[128]; nspath(path, i); double t = now(), u;
  if (unshare(CLONE_NEWNET)) DIE("unshare");
  u = now(); p[1] += u - t; t = u;
  int f = open(path, O_RDONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0); if (f < 0) DIE("create %s", path); close(f);
  if (O.bind[0] == 'm') { if (mount("/proc/thread-self/ns/net", path, "none", MS_BIND, NULL)) DIE("bind %s", path); *nsfd = open(path, O_RDONLY | O_CLOEXEC); }
  else { // open_tree+move_mount from the ns fd, no path walk through /proc for the source
    *nsfd = open("/proc/thread-self/ns/net", O_RDONLY | O_CLOEXEC);
    int t = syscall(SYS_open_tree, *nsfd, "", 0x1000 | 1 | O_CLOEXEC); if (t < 0) DIE("open_tree");
    if (syscall(SYS_move_mount, t, "", AT_FDCWD, path, 4)) DIE("move_mount"); close(t);
  }
  if (*nsfd < 0) DIE("nsfd");
  u = now(); p[2] += u - t; t = u;
  *sk = nl_open(NETLINK_ROUTE); *nfsk = W[1] == '3' ? nl_open(NETLINK_NETFILTER) : -1;
  u = now(); p[3] += u - t; t = u;
  if (!O.ipv6) { wr("/proc/sys/net/ipv6/conf/all/disable_ipv6", "1"); wr("/proc/sys/net/ipv6/conf/default/disable_ipv6", "1"); }
  if (W[1] == '2') {
    if (O.sysctl[0] == 'p') wr("/proc/sys/net/ipv4/ip_forward", "1");
    else { // a private procfs instance, renewed every 64 namespaces: its dcache chains stay short
      static __thread int pfs = -1, used = 64;
      if (used++ >= 64) {
        if (pfs >= 0) close(pfs); used = 1; int fs = syscall(SYS_fsopen, "proc", 1); if (fs < 0) DIE("fsopen");
        if (syscall(SYS_fsconfig, fs, 6, NULL, NULL, 0)) DIE("fsconfig");
        pfs = syscall(SYS_fsmount, fs, 1, 0); if (pfs < 0) DIE("fsmount"); close(fs);
      }
      int f = openat(pfs, "sys/net/ipv4/ip_forward", O_WRONLY | O_CLOEXEC); if (f < 0) DIE("open private proc"); if (write(f, "1", 1) != 1) DIE("write"); close(f);
    }
  }
  u = now(); p[7] += u - t;
}
static void inns_w1(nlb *x, int idx, int i) {
  m_setup(x, 1); if (O.v6ll[0] == 'n') m_noipv6ll(x, idx);
  int need = strcmp(O.veth, "inside") || O.up[0] != 'c' || O.v6ll[0] == 'n'; // born up only when it is the main end
  if (need && !strcmp(O.order, "up-addr")) m_setup(x, idx);
  m_addr4(x, idx, hip(i), 16, 0x0a00ffff);
  if (need && strcmp(O.order, "up-addr")) m_setup(x, idx);
  m_route4(x, 0, 0, 0x0a000001, idx);
}
static void nft_inns(nlb *x, int i) {
  nf_begin(x); nf_table(x, "nat"); nf_chain(x, "nat", "pre", NF_INET_PRE_ROUTING, -100); nf_chain(x, "nat", "post", NF_INET_POST_ROUTING, 100);
  nf_masq(x, "nat", "post", 0xc0a80000, 0xffff0000); nf_dnat(x, "nat", "pre", 80, hip(i), 8080); nf_dnat(x, "nat", "pre", 443, hip(i), 8443); nf_end(x);
}
static pthread_mutex_t pm = PTHREAD_MUTEX_INITIALIZER;
struct rng { int lo, hi; };
static void *w1_worker(void *a) {
  struct rng *r = a; int C = O.chunk; double p[8] = { 0 };
  int hs; // a socket that belongs to the host ns
  if (setns(hostns, CLONE_NEWNET)) DIE("setns host"); hs = nl_open(NETLINK_ROUTE); nl_big(hs);
  int *fd = malloc(C * sizeof(int)), *sk = malloc(C * sizeof(int)), *nf = malloc(C * sizeof(int));
  nlb h, n; nlb_init(&h, C * 600 + 8192); nlb_init(&n, 16384);
  struct vopt vo = { O.txq1, O.group, O.up[0] == 'c' };
  for (int b = r->lo; b < r->hi; b += C) {
    int e = b + C < r->hi ? b + C : r->hi; double t, u;
    for (int i = b; i < e; i++) {
      mkns(i, &fd[i - b], &sk[i - b], &nf[i - b], p);
      if (!strcmp(O.veth, "inside")) { // eth0 created in the ns, peer born in the host ns: one batch does it all
        char nm[16]; sprintf(nm, "v%d", i); t = now();
        struct vopt vi = vo; if (O.v6ll[0] == 'n') vi.up = 0; m_veth(&n, "eth0", 2, 0, nm, O.idxbase + i, hostns, vi); inns_w1(&n, 2, i); FLUSH(sk[i - b], &n);
        p[5] += now() - t;
      }
    }
    t = now();
    for (int i = b; i < e; i++) {
      char nm[16]; sprintf(nm, "v%d", i);
      int idx = O.idxbase + i, br = brx + i / O.ports;
      if (!strcmp(O.veth, "host")) {
        m_veth(&h, nm, idx, !strcmp(O.enslave, "create") ? br : 0, "eth0", 2, fd[i - b], vo);
        if (strcmp(O.enslave, "create")) m_master(&h, idx, NULL, br, 1);
        else if (!vo.up) m_setup(&h, idx);
      } else if (!strcmp(O.veth, "inside")) { if (O.v6port[0] == 'n') m_noipv6ll(&h, idx); m_master_group(&h, idx, br, O.group); }
      else { // "move": what scripts do
        char pn[16]; sprintf(pn, "p%d", i);
        m_veth(&h, nm, idx, 0, pn, 500000 + i, -1, (struct vopt){ O.txq1, O.group, 0 });
        m_movens(&h, pn, fd[i - b], NULL); m_master(&h, idx, NULL, br, -1); m_setup(&h, idx);
      }
    }
    FLUSH(hs, &h);
    u = now(); p[4] += u - t; t = u;
    for (int i = b; i < e; i++) {
      if (!strcmp(O.veth, "host")) { inns_w1(&n, 2, i); FLUSH(sk[i - b], &n); }
      else if (!strcmp(O.veth, "move")) {
        struct ifinfomsg im = { .ifi_index = 500000 + i }; nlb_begin(&n, RTM_NEWLINK, 0, &im, sizeof im); puts0(&n, IFLA_IFNAME, "eth0"); nlb_end(&n);
        inns_w1(&n, 500000 + i, i); FLUSH(sk[i - b], &n);
      }
    }
    u = now(); p[5] += u - t; t = u;
    if (W[1] == '3') for (int i = b; i < e; i++) { nft_inns(&n, i); nf_flush(nf[i - b], &n); close(nf[i - b]); }
    p[6] += now() - t;
    for (int i = b; i < e; i++) { close(sk[i - b]); close(fd[i - b]); }
  }
  close(hs); if (setns(hostns, CLONE_NEWNET)) DIE("setns");
  pthread_mutex_lock(&pm); for (int i = 0; i < 8; i++) ph[i] += p[i]; pthread_mutex_unlock(&pm);
  return NULL;
}
// pipe=1: thread A only makes namespaces, thread B only does the netlink work behind it
static int *pfd, *psk, *pnf; static _Atomic int made;
static void *ns_maker(void *a) {
  double p[8] = { 0 }; for (int i = 0; i < N; i++) { mkns(i, &pfd[i], &psk[i], &pnf[i], p); made = i + 1; }
  pthread_mutex_lock(&pm); for (int i = 0; i < 8; i++) ph[i] += p[i]; pthread_mutex_unlock(&pm); (void)a; return NULL;
}
static void w1_pipe(void) {
  pfd = malloc(N * sizeof(int)); psk = malloc(N * sizeof(int)); pnf = malloc(N * sizeof(int)); made = 0;
  pthread_t t; pthread_create(&t, NULL, ns_maker, NULL); int hs = nl_open(NETLINK_ROUTE); nl_big(hs);
  nlb h, n; nlb_init(&h, O.chunk * 600 + 8192); nlb_init(&n, 16384); struct vopt vo = { O.txq1, O.group, 1 }; int q = 0;
  for (int i = 0; i < N; i++) {
    while (made <= i) usleep(50);
    char nm[16]; sprintf(nm, "v%d", i); struct vopt vi = vo; if (O.v6ll[0] == 'n') vi.up = 0;
    m_veth(&n, "eth0", 2, 0, nm, O.idxbase + i, hostns, vi); inns_w1(&n, 2, i); FLUSH(psk[i], &n);
    if (O.v6port[0] == 'n') m_noipv6ll(&h, O.idxbase + i); m_master_group(&h, O.idxbase + i, brx + i / O.ports, O.group);
    if (++q == O.chunk || i == N - 1) { FLUSH(hs, &h); q = 0; }
    if (W[1] == '3') { nft_inns(&n, i); nf_flush(pnf[i], &n); close(pnf[i]); }
    close(psk[i]); close(pfd[i]);
  }
  pthread_join(t, NULL); close(hs);
}
// W2: chain r0 - r1 - ... - r(N-1); link i joins ri ("e1") and ri+1 ("e0"). ri routes 192.168.0.0/16 to its right neighbour.
static void *w2_worker(void *a) {
  struct rng *r = a; double p[8] = { 0 }; nlb n; nlb_init(&n, 16384); struct vopt vo = { O.txq1, 0, 1 };
  int pfd = -1, psk = -1, pnf; // pass 1 of a 2-thread run joins the halves on r->hi (done by the lower half)
  for (int i = r->lo; i < r->hi; i++) {
    int fd, sk; mkns(i, &fd, &sk, &pnf, p); double t = now();
    if (pfd >= 0) { // from the left ns: link, lo, its addresses, its route. Left ns: e0 is idx 2 (if any), e1 next.
      int li = i - 1, ei = li > r->lo || li > 0 ? 3 : 2; if (li == r->lo) ei = li == 0 ? 2 : 3;
      m_veth(&n, "e1", ei, 0, "e0", 2, fd, vo); m_setup(&n, 1);
      if (li > r->lo) { m_setup(&n, 2); m_addr4(&n, 2, lip(li - 1, 1), 30, 0); }
      m_addr4(&n, ei, lip(li, 0), 30, 0); m_route4(&n, 0xc0a80000, 16, lip(li, 1), ei); FLUSH(psk, &n);
      close(pfd); close(psk);
    }
    p[5] += now() - t; pfd = fd; psk = sk;
  }
  // last of the range: its left address and lo; its own route back left when it is the very end
  double t = now(); int li = r->hi - 1;
  m_setup(&n, 1); if (li > r->lo) { m_setup(&n, 2); m_addr4(&n, 2, lip(li - 1, 1), 30, 0); if (li == N - 1) m_route4(&n, 0xc0a80000, 16, lip(li - 1, 0), 2); } FLUSH(psk, &n);
  close(pfd); close(psk); p[5] += now() - t;
  pthread_mutex_lock(&pm); for (int i = 0; i < 8; i++) ph[i] += p[i]; pthread_mutex_unlock(&pm);
  if (setns(hostns, CLONE_NEWNET)) DIE("setns"); return NULL;
}
static void w2_join(int k) { // link k-1 -> k, across the two halves
  char a[128], b[128]; nspath(a, k - 1); nspath(b, k); int fa = open(a, O_RDONLY | O_CLOEXEC), fb = open(b, O_RDONLY | O_CLOEXEC); struct vopt vo = { O.txq1, 0, 1 };
  if (setns(fa, CLONE_NEWNET)) DIE("setns"); int sk = nl_open(NETLINK_ROUTE); nlb n; nlb_init(&n, 8192);
  int ei = k - 1 == 0 ? 2 : 3; m_veth(&n, "e1", ei, 0, "e0", 100, fb, vo); m_addr4(&n, ei, lip(k - 1, 0), 30, 0); m_route4(&n, 0xc0a80000, 16, lip(k - 1, 1), ei); FLUSH(sk, &n); close(sk);
  if (setns(fb, CLONE_NEWNET)) DIE("setns"); sk = nl_open(NETLINK_ROUTE); m_setup(&n, 100); m_addr4(&n, 100, lip(k - 1, 1), 30, 0); FLUSH(sk, &n); close(sk); close(fa); close(fb);
  if (setns(hostns, CLONE_NEWNET)) DIE("setns");
}
static void run_threads(int T, void *(*f)(void *)) {
  struct rng r[64]; pthread_t t[64]; if (T > N) T = N;
  for (int k = 0; k < T; k++) { r[k].lo = (long)N * k / T; r[k].hi = (long)N * (k + 1) / T; }
  if (T == 1) { f(&r[0]); return; }
  for (int k = 0; k < T; k++) pthread_create(&t[k], NULL, f, &r[k]);
  for (int k = 0; k < T; k++) pthread_join(t[k], NULL);
}
static void setup(void) {
  double t = now();
  if (w1like()) {
    int hs = nl_open(NETLINK_ROUTE), nf = nl_open(NETLINK_NETFILTER); nlb x; nlb_init(&x, 32768);
    m_bridge(&x, "br0", brx, O.brmac, O.snoop, O.brup[0] == 'f'); m_addr4(&x, brx, 0x0a000001, 16, 0x0a00ffff);
    for (int k = 1; k <= (N - 1) / O.ports; k++) { char b[16]; sprintf(b, "br%d", k); m_bridge(&x, b, brx + k, 0, O.snoop, O.brup[0] == 'f'); }
    FLUSH(hs, &x);
    nf_begin(&x); nf_table(&x, "topo"); nf_chain(&x, "topo", "post", NF_INET_POST_ROUTING, 100); nf_masq(&x, "topo", "post", 0x0a000000, 0xffff0000); nf_end(&x); nf_flush(nf, &x);
    close(hs); close(nf); free(x.b);
  }
  ph[0] += now() - t;
  if (w1like()) {
    if (O.pipe) w1_pipe(); else run_threads(O.threads, w1_worker);
    t = now();
    if (O.brup[0] != 'f') { int hs = nl_open(NETLINK_ROUTE); nlb x; nlb_init(&x, 4096); for (int k = 0; k <= (N - 1) / O.ports; k++) m_setup(&x, brx + k); FLUSH(hs, &x); close(hs); free(x.b); }
    ph[0] += now() - t;
  }
  else { int T = O.threads > N ? N : O.threads; run_threads(T, w2_worker); for (int k = 1; k < T; k++) w2_join((long)N * k / T); }
}
// -------- observe --------
static void dump3(int s, nlb *x, char *rb, long *cnt) {
  struct ifinfomsg i = { 0 }; nlb_begin(x, RTM_GETLINK, NLM_F_DUMP, &i, sizeof i); put32(x, IFLA_EXT_MASK, O.skipstats ? 8 : 0); nlb_end(x); cnt[0] += nl_dump(s, x, rb, 65536, NULL);
  struct ifaddrmsg a = { 0 }; nlb_begin(x, RTM_GETADDR, NLM_F_DUMP, &a, sizeof a); nlb_end(x); cnt[1] += nl_dump(s, x, rb, 65536, NULL);
  struct rtmsg r = { .rtm_family = AF_INET, .rtm_table = RT_TABLE_MAIN }; nlb_begin(x, RTM_GETROUTE, NLM_F_DUMP, &r, sizeof r); nlb_end(x); cnt[2] += nl_dump(s, x, rb, 65536, NULL);
}
static void nftdump(nlb *x, char *rb, long *cnt) { // gen + tables + chains + rules
  int s = nl_open(NETLINK_NETFILTER);
  static const int q[] = { NFT_MSG_GETTABLE, NFT_MSG_GETCHAIN, NFT_MSG_GETRULE };
  for (int k = 0; k < 3; k++) { nf_hdr(x, NFT(q[k]), NLM_F_DUMP, 0, 0); nlb_end(x); cnt[3] += nl_dump(s, x, rb, 65536, NULL); }
  close(s);
}
static long ocnt[4];
static void *obs_worker(void *a) {
  struct rng *r = a; nlb x; nlb_init(&x, 8192); char *rb = malloc(65536), path[128]; long c[4] = { 0 };
  for (int i = r->lo; i < r->hi; i++) {
    nspath(path, i); int f = open(path, O_RDONLY | O_CLOEXEC); if (f < 0) DIE("open %s", path);
    if (setns(f, CLONE_NEWNET)) DIE("setns"); int s = nl_open(NETLINK_ROUTE), one = 1; setsockopt(s, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof one);
    dump3(s, &x, rb, c); close(s); close(f);
    if (W[1] == '3') nftdump(&x, rb, c);
  }
  if (setns(hostns, CLONE_NEWNET)) DIE("setns");
  pthread_mutex_lock(&pm); for (int i = 0; i < 4; i++) ocnt[i] += c[i]; pthread_mutex_unlock(&pm); return NULL;
}
static void observe(void) {
  memset(ocnt, 0, sizeof ocnt); char *rb = malloc(65536); nlb x; nlb_init(&x, 8192); long c[4] = { 0 };
  int s = nl_open(NETLINK_ROUTE), one = 1; setsockopt(s, SOL_NETLINK, NETLINK_GET_STRICT_CHK, &one, sizeof one); dump3(s, &x, rb, c); close(s);
  if (w1like()) nftdump(&x, rb, c);
  run_threads(O.threads, obs_worker); free(rb); free(x.b);
}
// -------- teardown --------
static int links_left(void) {
  int s = nl_open(NETLINK_ROUTE); nlb x; nlb_init(&x, 4096); char *rb = malloc(65536); struct ifinfomsg i = { 0 };
  nlb_begin(&x, RTM_GETLINK, NLM_F_DUMP, &i, sizeof i); put32(&x, IFLA_EXT_MASK, 8); nlb_end(&x); int c = nl_dump(s, &x, rb, 65536, NULL); close(s); free(rb); free(x.b); return c;
}
// Live proc_dir_entry objects, system wide: about 67 per netns, freed by the last pernet exit
// in cleanup_net(). (The net_namespace slab itself is no use: 6.x defers its frees to the
// next cleanup_net() run.)
static long slab_ns(void) {
  static char b[65536]; int f = open("/proc/slabinfo", O_RDONLY), n = 0, k; while ((k = read(f, b + n, sizeof b - 1 - n)) > 0) n += k; close(f); b[n] = 0;
  char *p = strstr(b, "\nproc_dir_entry"); return p ? atol(p + 15) : -1;
}
static void *um_worker(void *a) {
  struct rng *r = a; char path[128];
  for (int i = r->lo; i < r->hi; i++) { nspath(path, i); if (umount2(path, MNT_DETACH)) DIE("umount %s", path); if (unlink(path)) DIE("unlink"); }
  return NULL;
}
static void m_delbrs(nlb *x) { for (int k = 0; k <= (N - 1) / O.ports; k++) m_dellink(x, brx + k, NULL); }
static double tdp[4]; // command phases: links, umount
static void td_links(void) {
  int s = nl_open(NETLINK_ROUTE), nf = nl_open(NETLINK_NETFILTER); nl_big(s); nlb x; nlb_init(&x, 1 << 20); double t = now();
  if (w1like()) { nf_begin(&x); nf_deltable(&x, "topo"); nf_end(&x); nf_flush(nf, &x); }
  if (!w1like()) ;
  else if (!strcmp(O.td, "group")) { m_delgroup(&x, O.group); m_delbrs(&x); FLUSH(s, &x); }
  else if (!strcmp(O.td, "par")) { m_delgroup(&x, O.group); m_delbrs(&x); FLUSH(s, &x); }
  else if (!strcmp(O.td, "mark")) { // links carry no group of ours: give them one now, then delete it
    for (int i = 0; i < N; i++) { struct ifinfomsg m = { .ifi_index = O.idxbase + i }; nlb_begin(&x, RTM_SETLINK, 0, &m, sizeof m); put32(&x, IFLA_GROUP, 0x70b0beef); nlb_end(&x); if (x.nmsg == 1000) FLUSH(s, &x); }
    FLUSH(s, &x); tdp[3] = now() - t; m_delgroup(&x, 0x70b0beef); m_delbrs(&x); FLUSH(s, &x); }
  else if (!strcmp(O.td, "all")) { for (int k = 0; k <= (N - 1) / O.ports; k++) { struct ifinfomsg i = { .ifi_index = brx + k }; nlb_begin(&x, RTM_NEWLINK, 0, &i, sizeof i); put32(&x, IFLA_GROUP, O.group); nlb_end(&x); } m_delgroup(&x, O.group); FLUSH(s, &x); }
  else if (!strcmp(O.td, "downgroup")) { for (int k = 0; k <= (N - 1) / O.ports; k++) { struct ifinfomsg i = { .ifi_index = brx + k, .ifi_change = IFF_UP }; nlb_begin(&x, RTM_NEWLINK, 0, &i, sizeof i); nlb_end(&x); } m_delgroup(&x, O.group); m_delbrs(&x); FLUSH(s, &x); }
  else if (!strcmp(O.td, "brgroup")) { m_delbrs(&x); m_delgroup(&x, O.group); FLUSH(s, &x); }
  else if (!strcmp(O.td, "one")) { for (int i = 0; i < N; i++) { m_dellink(&x, O.idxbase + i, NULL); FLUSH(s, &x); } m_delbrs(&x); FLUSH(s, &x); }
  else if (!strcmp(O.td, "batch")) { for (int i = 0; i < N; i++) { m_dellink(&x, O.idxbase + i, NULL); if (x.nmsg == 1000) FLUSH(s, &x); } m_delbrs(&x); FLUSH(s, &x); }
  else if (!strcmp(O.td, "nsbr")) { m_delbrs(&x); FLUSH(s, &x); }
  close(s); close(nf); free(x.b); tdp[0] += now() - t;
}
static void td_ns(void) {
  double t = now();
  if (O.umthreads > 0) run_threads(O.umthreads, um_worker);
  else { // whole-tree: O.dir is its own mount, detach it at once (everything below goes with one grace period)
    if (umount2(O.dir, MNT_DETACH)) DIE("umount %s", O.dir);
  }
  tdp[1] += now() - t;
}
static void *td_par(void *a) { td_links(); return a; }
static void teardown(void) {
  if (!strcmp(O.td, "ns")) { td_ns(); td_links(); int s = nl_open(NETLINK_ROUTE); nlb x; nlb_init(&x, 4096); if (w1like()) { m_delbrs(&x); FLUSH(s, &x); } close(s); }
  else if (!strcmp(O.td, "par")) { pthread_t t; pthread_create(&t, NULL, td_par, NULL); usleep(500); td_ns(); pthread_join(t, NULL); }
  else { td_links(); td_ns(); }
}
static double cpu(int sys) { struct rusage r; getrusage(RUSAGE_SELF, &r); struct timeval t = sys ? r.ru_stime : r.ru_utime; return t.tv_sec + t.tv_usec * 1e-6; }
int main(int argc, char **argv) {
  if (argc < 4) { fprintf(stderr, "usage: floor bench|setup|observe|teardown w1|w2|w3 N [k=v]\n"); return 2; }
  W = argv[2]; N = atoi(argv[3]); for (int i = 4; i < argc; i++) opt(argv[i]);
  struct rlimit rl = { 1 << 20, 1 << 20 }; setrlimit(RLIMIT_NOFILE, &rl);
  hostns = open("/proc/self/ns/net", O_RDONLY | O_CLOEXEC); mkdir("/run/netns", 0755); mkdir(O.dir, 0755);
  if (O.umthreads == 0) mount("none", O.dir, "tmpfs", 0, NULL);
  int all = !strcmp(argv[1], "bench");
  double t0, u0 = cpu(0), s0 = cpu(1), su = 0, ss = 0, setup_s = 0, noop = 0, td = 0, links = 0, clean = 0; long base = slab_ns(); int l0 = links_left();
  if (all || !strcmp(argv[1], "setup")) { t0 = now(); setup(); setup_s = now() - t0; su = cpu(0) - u0; ss = cpu(1) - s0; }
  if (all || !strcmp(argv[1], "observe")) { t0 = now(); observe(); noop = now() - t0; }
  if (all || !strcmp(argv[1], "teardown")) {
    double ts = cpu(1); t0 = now(); teardown(); td = now() - t0; tdp[2] = cpu(1) - ts;
    if (!all) l0 = -1;
    if (O.wait) {
      if (all) { while (links_left() > l0) usleep(1000); links = now() - t0; long c, last = -1; double tl = now(); // clean = moment the count stopped falling, near its base
        while (now() - t0 < 120) { c = slab_ns(); if (c != last) { last = c; tl = now(); } if (c <= base + 150 + 7 * N && now() - tl > 0.15) break; usleep(2000); }
        clean = tl - t0; }
    }
  }
  printf("{\"tool\":\"floor\",\"workload\":\"%s\",\"n\":%d,\"setup_s\":%.6f,\"setup_user\":%.4f,\"setup_sys\":%.4f,\"noop_s\":%.6f,\"teardown_s\":%.6f,\"td_links_s\":%.6f,\"td_umount_s\":%.6f,\"td_sys\":%.4f,\"td_mark_s\":%.6f,\"links_gone_s\":%.6f,\"clean_s\":%.6f,\"dumped\":[%ld,%ld,%ld,%ld],\"phase_us_per_n\":{", W, N, setup_s, su, ss, noop, td, tdp[0], tdp[1], tdp[2], tdp[3], links, clean, ocnt[0], ocnt[1], ocnt[2], ocnt[3]);
  for (int i = 0; i < 8; i++) printf("%s\"%s\":%.1f", i ? "," : "", phn[i], ph[i] * 1e6 / N);
  printf("}}\n"); return 0;
}
