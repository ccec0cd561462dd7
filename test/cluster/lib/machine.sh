# This machine's side of the network: which iptables the nodes use, the bridge and its rules. And the parameters of the
# cluster, kept for the next call.

# Tried in a network namespace that ends with the try.
knows_kube_proxy_rules() {
  unshare --net sh -euc "
    t='iptables-$1 -t nat'
    \$t -N X
    \$t -A X -p tcp -m comment --comment x -m statistic --mode random --probability 0.5 -j MARK --or-mark 0x4000
    \$t -A X -m addrtype --dst-type LOCAL -m recent --name X --rcheck --seconds 9 --reap -j RETURN
    \$t -A X -p tcp -j DNAT --to-destination 192.0.2.1:1
    \$t -A X -j MASQUERADE --random-fully
    iptables-$1 -A FORWARD -m conntrack --ctstate INVALID -j DROP" >/dev/null 2>&1
}

choose_iptables() {
  local command suffix
  if [ "$IPTABLES" = auto ]; then
    for IPTABLES in nft legacy none; do knows_kube_proxy_rules $IPTABLES && break; done
    [ "$IPTABLES" != none ] || die "neither iptables-nft nor iptables-legacy can hold kube-proxy's rules in this kernel"
  fi
  for command in iptables ip6tables; do
    for suffix in "" -save -restore; do
      ln -sfn "$(command -v "$command-$IPTABLES$suffix")" "$D/sbin/$command$suffix"
    done
  done
}

remember_parameters() {
  local v
  for v in PORT_BASE BRIDGE NODE_NET POD_NET SVC_CIDR IPTABLES CACHE; do printf '%s=%q\n' "$v" "${!v}"; done >"$D/cluster.env"
  # These may grow later.
  for v in NODES WITH_REGISTRY; do printf ': "${%s:=%q}"\n' "$v" "${!v}"; done >>"$D/cluster.env"
}

make_bridge() {
  local taken
  if ! ip link show "$BRIDGE" >/dev/null 2>&1; then
    taken=$(ip -4 -o addr show to "$NODE_NET.0/24"; ip -4 route show root "$POD_NET.0.0/16"; ip -4 route show root "$SVC_CIDR")
    [ -z "$taken" ] || { rm -f "$D/cluster.env"; die "a subnet is in use already: $taken"; }
    ip link add "$BRIDGE" type bridge
  fi
  ip addr replace "$HOST_IP/24" dev "$BRIDGE"
  ip link set "$BRIDGE" up
  # Packets of pods may go wherever this machine has a route to, but not out through its default route; and those
  # to a ClusterIP that no service has come back unreachable, instead of circling between here and node1.
  if ! grep -q "iif $BRIDGE " <<<"$(ip rule show)"; then
    ip rule add iif "$BRIDGE" to "$SVC_CIDR" priority 1000 unreachable
    ip rule add iif "$BRIDGE" priority 1001 lookup main suppress_prefixlength 0
    ip rule add iif "$BRIDGE" priority 1002 unreachable
  fi
}

# ClusterIPs from this machine: node1 translates them.
route_services() { ip route replace "$SVC_CIDR" via "$NODE_NET.11" src "$HOST_IP"; }
