# The cluster's certificate authority, the certificates under it, and a kubeconfig for each who needs one.

# cert NAME SUBJECT [ALTERNATIVE-NAMES]: elliptic, because making them takes no time.
cert() {
  [ ! -f "pki/$1.crt" ] || return 0
  openssl req -new -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -keyout "pki/$1.key" -subj "$2" 2>/dev/null \
    | openssl x509 -req -days 3650 -CA pki/ca.crt -CAkey pki/ca.key -CAcreateserial -out "pki/$1.crt" \
      -extfile <(printf 'basicConstraints=CA:FALSE\nextendedKeyUsage=serverAuth,clientAuth\n%s' "${3:+subjectAltName=$3}") 2>/dev/null
}
# kubeconfig FILE USER: self-contained, so that it can be copied and given to a container.
kubeconfig() {
  cat >"$1" <<C
apiVersion: v1
kind: Config
clusters: [{name: k8s, cluster: {server: "$API", certificate-authority-data: $(base64 -w0 pki/ca.crt)}}]
users: [{name: me, user: {$2}}]
contexts: [{name: k8s, context: {cluster: k8s, user: me}}]
current-context: k8s
C
  chmod 600 "$1"
}
component_kubeconfig() { # NAME SUBJECT
  cert "$1" "$2"
  kubeconfig "pki/$1.conf" "client-certificate-data: $(base64 -w0 "pki/$1.crt"), client-key-data: $(base64 -w0 "pki/$1.key")"
}

make_certificates() {
  chmod 700 pki
  [ -f pki/ca.crt ] || openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 3650 -keyout pki/ca.key -out pki/ca.crt -subj /CN=k8s-ca 2>/dev/null
  [ -f pki/sa.pub ] || { openssl genrsa -out pki/sa.key 2048; openssl rsa -in pki/sa.key -pubout -out pki/sa.pub; } 2>/dev/null
  [ -f pki/tokens.csv ] || echo "$(openssl rand -hex 16),admin,admin,system:masters" >pki/tokens.csv
  cert apiserver /CN=kube-apiserver "DNS:localhost,DNS:kubernetes,DNS:kubernetes.default,DNS:kubernetes.default.svc,DNS:kubernetes.default.svc.cluster.local,IP:127.0.0.1,IP:$HOST_IP,IP:${SVC_CIDR%.*}.1"
  cert apiserver-to-kubelet /O=system:masters/CN=apiserver-to-kubelet
  component_kubeconfig kcm /CN=system:kube-controller-manager
  component_kubeconfig scheduler /CN=system:kube-scheduler
  component_kubeconfig proxy /CN=system:kube-proxy
  kubeconfig admin.conf "token: $(cut -d, -f1 pki/tokens.csv)"   # a token: the plainest thing for hand-written clients
}
