# etcd, API server, controller manager and scheduler, beside the nodes; and the local registry.

start_api_server() {
  local etcd_at=http://127.0.0.1:$((PORT_BASE + 1)) etcd_peers=http://127.0.0.1:$((PORT_BASE + 2))
  say "etcd, API server at $API"
  # etcd has no password, so it listens on the loopback, which pods cannot reach. Its peer address must be said
  # three times, or it insists on the default port.
  start etcd etcd --data-dir "$D/etcd" --listen-client-urls $etcd_at --advertise-client-urls $etcd_at \
    --listen-peer-urls $etcd_peers --initial-advertise-peer-urls $etcd_peers --initial-cluster default=$etcd_peers
  # The API server listens only on the bridge: this machine and the nodes reach it, nobody else. The endpoints of
  # the `kubernetes` service are its advertise address.
  start api "$CACHE/bin/kube-apiserver" --etcd-servers=$etcd_at --bind-address="$HOST_IP" --advertise-address="$HOST_IP" --secure-port="$PORT_BASE" \
    --tls-cert-file="$D/pki/apiserver.crt" --tls-private-key-file="$D/pki/apiserver.key" --client-ca-file="$D/pki/ca.crt" \
    --kubelet-certificate-authority="$D/pki/ca.crt" --kubelet-client-certificate="$D/pki/apiserver-to-kubelet.crt" \
    --kubelet-client-key="$D/pki/apiserver-to-kubelet.key" --kubelet-preferred-address-types=InternalIP \
    --token-auth-file="$D/pki/tokens.csv" --authorization-mode=Node,RBAC --enable-admission-plugins=NodeRestriction \
    --service-account-issuer=https://kubernetes.default.svc.cluster.local --service-account-key-file="$D/pki/sa.pub" \
    --service-account-signing-key-file="$D/pki/sa.key" --service-cluster-ip-range="$SVC_CIDR" --allow-privileged=true ${APISERVER_ARGS:-}
}

# Plain http, without credentials; `localhost:port` for builders here and for pods on every node.
start_registry() {
  local name port=${REGISTRY#*:}
  mkdir -p "$D/registry"
  cat >"$D/registry.yaml" <<C
version: 0.1
storage: {filesystem: {rootdirectory: $D/registry}, delete: {enabled: true}}
http: {addr: "$HOST_IP:$port", secret: $(cut -d, -f1 pki/tokens.csv)}
C
  # Twice over one folder: on the bridge for the nodes, and on the loopback so that builders here say localhost.
  start registry docker-registry serve "$D/registry.yaml"
  REGISTRY_HTTP_ADDR=127.0.0.1:$port start registry-local docker-registry serve "$D/registry.yaml"
  # In a node, localhost is the node itself; this sends the name to the registry.
  for name in "$REGISTRY" "$HOST_IP:$port"; do
    mkdir -p "$D/certs.d/$name"
    printf 'server = "%s"\n[host."%s"]\n  capabilities = ["pull", "resolve"]\n' "http://$HOST_IP:$port"{,} >"$D/certs.d/$name/hosts.toml"
  done
}

start_controllers() {
  # Only one of each, so no leader to elect. --port=0: no second, unencrypted port.
  start kcm "$CACHE/bin/kube-controller-manager" --kubeconfig="$D/pki/kcm.conf" --bind-address=127.0.0.1 --port=0 --secure-port=$((PORT_BASE + 3)) \
    --leader-elect=false --use-service-account-credentials=true --service-account-private-key-file="$D/pki/sa.key" \
    --root-ca-file="$D/pki/ca.crt" --cluster-signing-cert-file="$D/pki/ca.crt" --cluster-signing-key-file="$D/pki/ca.key" ${KCM_ARGS:-}
  start scheduler "$CACHE/bin/kube-scheduler" --kubeconfig="$D/pki/scheduler.conf" --bind-address=127.0.0.1 --port=0 --secure-port=$((PORT_BASE + 4)) --leader-elect=false
}
