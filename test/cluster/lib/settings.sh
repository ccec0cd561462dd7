# The cluster's parameters, and the words that every script here uses.

D=$(readlink -m "${K8S_DIR:-/var/tmp/k8s}")
# What a running cluster was started with wins over the environment, so that only K8S_DIR must be repeated.
if [ -f "$D/cluster.env" ]; then . "$D/cluster.env"; fi
i=${K8S_INDEX:-0}                              # a second cluster beside the first: another K8S_DIR and K8S_INDEX=1
PORT_BASE=${PORT_BASE:-$((6450 + 10 * i))}     # api, etcd, etcd peer, controller-manager, scheduler, registry: +0 … +5
BRIDGE=${BRIDGE:-k8sbr$i}                      # the machine's bridge to the nodes
NODE_NET=${NODE_NET:-10.200.$i}                # .1 is this machine (and the API server), .11 is node1, .12 is node2
POD_NET=${POD_NET:-10.$((210 + i))}            # pods of node1 are in POD_NET.1.0/24, of node2 in POD_NET.2.0/24
SVC_CIDR=${SVC_CIDR:-10.$((230 + i)).0.0/20}   # ClusterIPs, enough for thousands; the first one is the API server's
IPTABLES=${IPTABLES:-auto}                     # auto, nft or legacy
WITH_REGISTRY=${WITH_REGISTRY:-0}              # 1: a local image registry
NODES=${NODES:-1}
CACHE=${CACHE:-$(readlink -m "${K8S_CACHE:-$D}")}  # binaries and their source; several clusters may share one

HOST_IP=$NODE_NET.1
API=https://$HOST_IP:$PORT_BASE
REGISTRY=localhost:$((PORT_BASE + 5))

say() { printf '%s %s\n' "$(date +%T)" "$*" >&2; }
die() { say "error: $*"; exit 1; }

# wait_for SECONDS WHAT COMMAND…: until the command succeeds.
wait_for() {
  local end=$((SECONDS + $1)) what=$2; shift 2
  until "$@" >/dev/null 2>&1; do
    [ $SECONDS -lt $end ] || die "waited too long for $what"
    sleep 0.2
  done
}
