# A node: the namespaces it lives in, containerd, kubelet, kube-proxy; and its end.

node_dirs() { find "$D" -maxdepth 1 -name 'node[1-9]' 2>/dev/null | sort; }
cgroup_of() { echo "k8s-$BRIDGE-n$1"; }

# enter N: sets the words that run a command in the namespaces of that node, with the chosen iptables first in PATH.
enter() { in_node=(nsenter --target "$(pid_of "node$1")" --mount --net --uts -- env "PATH=$D/sbin:/usr/sbin:/usr/bin:/sbin:/bin"); }

# import N FILE…: into that node's containerd, in the namespace that Kubernetes uses.
import() {
  local n=$1 f; shift
  for f in "$@"; do ctr --address "$D/node$n/run/containerd.sock" --namespace k8s.io images import "$f" >/dev/null; done
}


# The process that holds a node's namespaces open. The folders where kubelet, containerd and CNI keep state
# under fixed names are covered with the node's own.
holder='
  set -eu; N=$0
  # Copies of mounts that belong to other clusters and builders here would stay when their owners unmount them.
  awk '\''$3 == "nsfs" || ($3 == "overlay" && $2 != "/") || $2 ~ "/pods/|/sandboxes/" { print $2 }'\'' /proc/self/mounts | tac | xargs -r umount -l || true
  mount --make-rshared /          # a new peer group: mounts made here pass on to pods, never to the machine
  cover() { mount --bind "$N/$1" "$2"; }
  cover log/pods /var/log/pods; cover log/containers /var/log/containers; cover kubelet /var/lib/kubelet
  cover cni/lib /var/lib/cni; cover run /run/containerd
  mount -t tmpfs tmpfs /run/netns
  hostname "${N##*/}"
  cd /proc/sys/net/ipv4; echo 1 >ip_forward; echo 0 >conf/all/send_redirects; echo 0 >conf/default/send_redirects
  ip link set lo up
  exec -a "k8s-node $N/" sleep infinity'

node_namespaces() {
  local n=$1 N=$D/node$1 pid m; local ip=$NODE_NET.1$n
  [ ! -d "$N" ] || node_down "$n"             # left over from a crash
  mkdir -p "$N"/{run,log/pods,log/containers,kubelet/volume-plugins,cni/net.d,cni/lib,ctd} /var/log/pods /var/log/containers /var/lib/kubelet /var/lib/cni /run/containerd /run/netns
  # cpuset groups start empty, and nothing can run in an empty one.
  for m in /sys/fs/cgroup/*/cgroup.procs; do
    m=${m%/*}; [ "${m##*/}" != unified ] || continue
    mkdir -p "$m/$(cgroup_of "$n")"
    [ "${m##*/}" != cpuset ] || for c in cpus mems; do cat "$m/cpuset.$c" >"$m/$(cgroup_of "$n")/cpuset.$c"; done
  done
  start "node$n" unshare --mount --net --uts --propagation private bash -c "$holder" "$N"
  wait_for 5 "the namespaces of node$n" grep -q "^k8s-node" "/proc/$(cut -d' ' -f1 "$D/run/node$n.pid")/cmdline"
  pid=$(pid_of "node$n")
  ip link add "$BRIDGE-n$n" type veth peer name eth0 netns "$pid"
  ip link set "$BRIDGE-n$n" master "$BRIDGE" up
  nsenter --target "$pid" --net sh -euc "
    ip addr add $ip/24 dev eth0; ip link set eth0 up; ip route add default via $HOST_IP
    for m in 1 2 3 4 5 6 7 8 9; do [ \$m = $n ] || ip route add $POD_NET.\$m.0/24 via $NODE_NET.1\$m; done"
  ip route replace "$POD_NET.$n.0/24" via "$ip" src "$HOST_IP"
}

node_containerd() {
  local n=$1 N=$D/node$1
  cat >"$N/containerd.toml" <<C
version = 2
root = "$N/ctd"
state = "$N/run/state"
[grpc]
  address = "$N/run/containerd.sock"
[plugins."io.containerd.grpc.v1.cri"]
  sandbox_image = "localhost/pause:3"
  # Without CAP_SYS_RESOURCE a process cannot lower its oom_score_adj, and pods that ask for it would not start.
  restrict_oom_score_adj = true
  [plugins."io.containerd.grpc.v1.cri".registry]
    config_path = "$D/certs.d"
  [plugins."io.containerd.grpc.v1.cri".cni]
    bin_dir = "/usr/lib/cni"
    conf_dir = "$N/cni/net.d"
  [plugins."io.containerd.grpc.v1.cri".containerd]
    default_runtime_name = "runc"
    snapshotter = "overlayfs"
    [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc]
      runtime_type = "io.containerd.runc.v2"
      [plugins."io.containerd.grpc.v1.cri".containerd.runtimes.runc.options]
        SystemdCgroup = false
C
  # ptp rather than bridge: every packet of a pod is routed by the node, so that kube-proxy's rules see the
  # answers of a pod on the same node too, without the br_netfilter module.
  cat >"$N/cni/net.d/10-pods.conflist" <<C
{"cniVersion": "0.4.0", "name": "pods", "plugins": [
  {"type": "ptp", "ipMasq": false, "ipam": {"type": "host-local", "ranges": [[{"subnet": "$POD_NET.$n.0/24"}]], "routes": [{"dst": "0.0.0.0/0"}]}},
  {"type": "portmap", "capabilities": {"portMappings": true}, "snat": true}]}
C
  enter "$n"
  start "ctd$n" "${in_node[@]}" containerd --config "$N/containerd.toml"
}

node_kubelet() {
  local n=$1 N=$D/node$1 ip=$NODE_NET.1$1
  cert "kubelet$n" "/O=system:nodes/CN=system:node:node$n" "DNS:node$n,IP:$ip"
  component_kubeconfig "kubelet$n" "/O=system:nodes/CN=system:node:node$n"
  : >"$D/resolv.conf"
  # cgroupRoot: a kubelet kills what it finds under its kubepods group and does not know, so each has its own.
  # cgroupfs, oomScoreAdj 0: no systemd here, and no CAP_SYS_RESOURCE to lower the score.
  # resolvConf: an empty file; a look-up fails at once instead of asking the machine's name server.
  # image collection off: images come from files, so a deleted one could not be fetched again.
  cat >"$N/kubelet.yaml" <<C
kind: KubeletConfiguration
apiVersion: kubelet.config.k8s.io/v1beta1
address: $ip
tlsCertFile: $D/pki/kubelet$n.crt
tlsPrivateKeyFile: $D/pki/kubelet$n.key
authentication: {anonymous: {enabled: false}, webhook: {enabled: true}, x509: {clientCAFile: $D/pki/ca.crt}}
authorization: {mode: Webhook}
cgroupDriver: cgroupfs
cgroupRoot: /$(cgroup_of "$n")
enforceNodeAllocatable: []
oomScoreAdj: 0
failSwapOn: false
resolvConf: $D/resolv.conf
volumePluginDir: $N/kubelet/volume-plugins
imageGCHighThresholdPercent: 100
evictionHard: {nodefs.available: "1%", imagefs.available: "1%", memory.available: 100Mi}
C
  enter "$n"
  # Without the variable it waits seconds for a cloud's metadata service, to see if that has image credentials.
  start "kubelet$n" "${in_node[@]}" AWS_EC2_METADATA_DISABLED=true "$CACHE/bin/kubelet" --config="$N/kubelet.yaml" --kubeconfig="$D/pki/kubelet$n.conf" --root-dir=/var/lib/kubelet \
    --container-runtime=remote --container-runtime-endpoint="unix://$N/run/containerd.sock" --hostname-override="node$n" --node-ip="$ip" ${KUBELET_ARGS:-}
}

node_proxy() {
  local n=$1 N=$D/node$1 ip=$NODE_NET.1$1
  # conntrack 0: the table's size belongs to the machine and cannot be set from a network namespace.
  # bindAddress: lets it start before the node is registered.
  # clusterCIDR: what comes to a ClusterIP from elsewhere (this machine) is masqueraded, so answers find back.
  cat >"$N/proxy.yaml" <<C
kind: KubeProxyConfiguration
apiVersion: kubeproxy.config.k8s.io/v1alpha1
mode: iptables
bindAddress: $ip
hostnameOverride: node$n
clusterCIDR: $POD_NET.0.0/16
clientConnection: {kubeconfig: $D/pki/proxy.conf}
conntrack: {maxPerCore: 0, min: 0, tcpEstablishedTimeout: 0s, tcpCloseWaitTimeout: 0s}
oomScoreAdj: 0
C
  enter "$n"
  start "proxy$n" "${in_node[@]}" "$CACHE/bin/kube-proxy" --config="$N/proxy.yaml"
}

# A node whose containerd is new has no image; what load-image was given is kept for it.
node_images() {
  local n=$1 address=$D/node$1/run/containerd.sock have
  wait_for 20 "containerd of node$n" ctr --address "$address" version
  have=$(ctr --address "$address" --namespace k8s.io images list -q)
  if ! grep -q '^localhost/pause:3$' <<<"$have"; then
    say "node$n: loading images"
    import "$n" "$CACHE/pause.tar" $(find "$D/images" -name '*.tar' | sort)
  fi
}

# Everything of one node: first what could start something anew, then the shims (known by the socket in their
# command line), then the pods (known by the cgroup that up made for this node, so no pid is guessed).
node_down() {
  local n=$1 N=$D/node$1 p cg; cg=$(cgroup_of "$n")
  for p in kubelet proxy ctd; do stop "$p$n"; done
  for p in $(grep -lzxF -- "$N/run/containerd.sock" /proc/[0-9]*/cmdline 2>/dev/null | cut -d/ -f3); do
    case $(cat "/proc/$p/comm" 2>/dev/null) in containerd-shim*) kill -9 "$p" 2>/dev/null || true ;; esac
  done
  for _ in $(seq 50); do
    [ -n "$(ls -d /sys/fs/cgroup/*/"$cg" 2>/dev/null)" ] || break
    find /sys/fs/cgroup/*/"$cg" -name cgroup.procs -exec cat {} + 2>/dev/null | sort -u | xargs -r kill -9 2>/dev/null || true
    find /sys/fs/cgroup/*/"$cg" -depth -type d -exec rmdir {} + 2>/dev/null || true
    sleep 0.1
  done
  stop "node$n"                               # with the last process go its mounts, interfaces and iptables
  ip link del "$BRIDGE-n$n" 2>/dev/null || true
  rm -rf --one-file-system "$N"
}
