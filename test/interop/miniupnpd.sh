# Runs within a network namespace set up by test/bench/udp/namespace.sh: moves the far end of the inside interface to a client's
# namespace, starts miniupnpd on the near end, and runs the command given from the client's side, which has two addresses.
set -e
folder=$(mktemp -d)
unshare --net sleep 900 &
client=$!
trap 'test ! -f "$folder/pid" || kill "$(cat "$folder/pid")"; kill "$client"; rm -r "$folder"' EXIT
# Until it has a namespace of its own, the sleeper is in ours.
until [ "$(readlink "/proc/$client/ns/net")" != "$(readlink /proc/self/ns/net)" ]; do sleep 0.05; done
ip link set lan netns "$client"
inside() { nsenter --net="/proc/$client/ns/net" "$@"; }
inside ip link set lo up
inside ip link set lan up
inside ip addr add 10.0.0.2/24 dev lan
inside ip addr add 10.0.0.3/24 dev lan
miniupnpd -f "$(dirname "$0")/miniupnpd.conf" -P "$folder/pid" > /dev/null 2>&1
sleep 1
inside "$@"
