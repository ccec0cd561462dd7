# What the cluster is made of: Debian's packages, the server binaries compiled from Debian's source, the pause image.
# Everything compiled stays in $CACHE.

components=(kube-apiserver kube-controller-manager kube-scheduler kubelet kube-proxy)

# need COMMAND-OR-PATH PACKAGE: notes the package when the command is missing. Never kubernetes-client over
# another kubectl: the packages conflict.
missing=()
need() { command -v "$1" >/dev/null || [ -e "$1" ] || missing+=("$2"); }

to_build=()
find_missing() {
  local c
  need etcd etcd-server; need containerd containerd; need runc runc; need /usr/lib/cni/ptp containernetworking-plugins
  need kubectl kubernetes-client; need iptables iptables; need conntrack conntrack; need openssl openssl; need ip iproute2
  [ "$WITH_REGISTRY" = 0 ] || need docker-registry docker-registry
  for c in "${components[@]}"; do [ -x "$CACHE/bin/$c" ] || to_build+=("./cmd/$c"); done
  [ -f "$CACHE/pause.tar" ] && [ ${#to_build[@]} = 0 ] || { need gcc gcc; need /usr/include/stdio.h libc6-dev; }
  [ ${#to_build[@]} = 0 ] || { need /usr/lib/go-1.19/bin/go golang-1.19-go; need /usr/share/go-1.19/src golang-1.19-src; need dpkg-source dpkg-dev; }
}

# A server that does not answer is asked again, and not waited for without end.
patient=(-oAcquire::Retries=3 -oAcquire::http::Timeout=60 -oDPkg::Lock::Timeout=120)

install_packages() {
  [ ${#missing[@]} -gt 0 ] || return 0
  say "installing ${missing[*]}"
  apt-get "${patient[@]}" update -q >>"$D/logs/apt.log" 2>&1
  DEBIAN_FRONTEND=noninteractive apt-get "${patient[@]}" install -y -q --no-install-recommends "${missing[@]}" >>"$D/logs/apt.log" 2>&1
}

# Debian's kubernetes source, unpacked into a GOPATH. The deb-src line is this machine's own first source,
# used with lists and a cache of its own, so the machine's apt configuration stays as it is.
tree=$CACHE/src/gopath/src/k8s.io/kubernetes
fetch_source() {
  local src=/etc/apt/sources.list.d/debian.sources apt=$CACHE/src/apt
  [ -f "$src" ] || src=/etc/apt/sources.list
  mkdir -p "$apt"/{parts,lists/partial,cache/archives/partial} "${tree%/*}"
  sed -n '1,/^$/p' "$src" | sed 's/^Types:.*/Types: deb-src/; s/^deb /deb-src /' >"$apt/parts/src.${src##*.}"
  local o=("${patient[@]}" -oDir::Etc::SourceList=/dev/null "-oDir::Etc::SourceParts=$apt/parts" "-oDir::State::Lists=$apt/lists" "-oDir::Cache=$apt/cache")
  cd "$CACHE/src"
  apt-get "${o[@]}" update -q
  apt-get "${o[@]}" source -q --download-only kubernetes
  rm -rf unpacked "$tree"; mkdir unpacked
  tar xzf kubernetes_*.orig.tar.gz -C unpacked
  basename unpacked/kubernetes-* | sed 's/kubernetes-/v/' >version
  # Generated code that the release builds make and the source archive leaves out.
  mv unpacked/kubernetes-* "$tree"; rmdir unpacked; cd "$tree"
  go build -o "$CACHE/bin/openapi-gen" ./vendor/k8s.io/kube-openapi/cmd/openapi-gen
  local packages
  packages=$(grep -rl --include=*.go '+k8s:openapi-gen=' staging/src/k8s.io pkg cmd | xargs -n1 dirname | sort -u \
    | grep -vE 'kube-openapi|code-generator|sample-|/testdata|gengo' \
    | sed -e 's#staging/src/##' -e '/^k8s.io/! s#^#k8s.io/kubernetes/#' -e '/^k8s.io\/kubernetes/! s#^#k8s.io/kubernetes/vendor/#' | paste -sd,)
  "$CACHE/bin/openapi-gen" -O zz_generated.openapi -i "$packages" -p k8s.io/kubernetes/pkg/generated/openapi -o "$GOPATH/src" -h /dev/null -r "$CACHE/src/violations"
  sed -i 's#k8s.io/kubernetes/vendor/##g' pkg/generated/openapi/zz_generated.openapi.go
  touch "$CACHE/src/complete"
}

build() ( # a subshell, for its directory and environment
  export PATH=/usr/lib/go-1.19/bin:$PATH GOFLAGS= GO111MODULE=off GOPATH=$CACHE/src/gopath
  if [ ! -f "$CACHE/src/complete" ]; then
    say "fetching Debian's kubernetes source"
    fetch_source >>"$D/logs/build.log" 2>&1
  fi
  say "compiling ${to_build[*]##*/} (about five minutes on two cores for all of them, once)"
  cd "$tree"
  local version package flags="-s -w"
  version=$(<"$CACHE/src/version")
  # Two packages hold the version; in GOPATH mode the path of a vendored one is its whole path.
  for package in component-base/version client-go/pkg/version; do
    package=k8s.io/kubernetes/vendor/k8s.io/$package
    flags+=" -X $package.gitVersion=$version -X $package.gitMajor=1 -X $package.gitMinor=$(cut -d. -f2 <<<"$version") -X $package.gitTreeState=clean"
  done
  nice -n 10 go build -ldflags "$flags" -o "$CACHE/bin/" "${to_build[@]}" >>"$D/logs/build.log" 2>&1
)

# The pause image, as an archive in the `docker save` layout: no registry has to be asked, no builder installed.
make_pause_image() {
  local t
  say "making the pause image"
  t=$(mktemp -d)
  printf '%s\n' '#include <signal.h>' '#include <unistd.h>' 'static void stop(int s) { _exit(0); }' \
    'int main() { signal(SIGTERM, stop); signal(SIGINT, stop); signal(SIGCHLD, SIG_IGN); for (;;) pause(); }' >"$t/pause.c"
  gcc -static -Os -s -o "$t/pause" "$t/pause.c"
  tar -C "$t" --owner=0 --group=0 -cf "$t/layer.tar" pause
  printf '{"architecture":"%s","os":"linux","config":{"Entrypoint":["/pause"]},"rootfs":{"type":"layers","diff_ids":["sha256:%s"]}}' \
    "$(dpkg --print-architecture)" "$(sha256sum <"$t/layer.tar" | cut -d' ' -f1)" >"$t/config.json"
  printf '[{"Config":"config.json","RepoTags":["localhost/pause:3"],"Layers":["layer.tar"]}]' >"$t/manifest.json"
  tar -C "$t" -cf "$t/pause.tar" manifest.json config.json layer.tar
  mv "$t/pause.tar" "$CACHE/pause.tar"
  rm -rf "$t"
}

# Everything is there when it returns. Under a lock, because clusters may share the cache.
provide_binaries() {
  exec 8>"$CACHE/src/lock"; flock 8
  find_missing
  install_packages
  if [ ${#to_build[@]} -gt 0 ]; then build; fi
  if [ ! -f "$CACHE/pause.tar" ]; then make_pause_image; fi
  exec 8>&-
}
