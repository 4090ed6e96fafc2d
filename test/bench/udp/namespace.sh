# Sets up a network namespace of its own as a router's: an outside and an inside interface, and the chains that miniupnpd
# fills. Then becomes the command given.
set -e
ip link set lo up
ip link add outside type veth peer name world
ip addr add 11.22.33.44/24 dev outside
ip link add inside type veth peer name lan
ip addr add 10.0.0.1/24 dev inside
for name in outside world inside lan; do ip link set "$name" up; done
nft -f - <<'RULES'
table inet filter {
  chain forward { type filter hook forward priority 0; policy accept; jump miniupnpd; }
  chain prerouting { type nat hook prerouting priority -100; policy accept; jump prerouting_miniupnpd; }
  chain postrouting { type nat hook postrouting priority 100; policy accept; jump postrouting_miniupnpd; }
  chain miniupnpd { }
  chain prerouting_miniupnpd { }
  chain postrouting_miniupnpd { }
}
RULES
exec "$@"
