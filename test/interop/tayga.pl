# Stands at the tun device of a translator between IPv4 and IPv6: reads lines "HEX", puts each IP packet into the device for the
# translator to read, and prints what it writes as "NUMBER HEX", NUMBER being the line that it came of, from 0. The kernel
# only carries the octets: a packet socket at the device is behind its routing and its checks.
# After each packet it sends one that is always translated, and waits for that: what comes out of a packet comes before it.
use strict;
use warnings;

my ($AF_PACKET, $SOCK_DGRAM, $ETH_P_ALL, $ETH_P_IP, $ETH_P_IPV6) = (17, 2, 3, 0x0800, 0x86dd);
my ($SIOCGIFINDEX, $SIOCSIFMTU, $OUTGOING) = (0x8933, 0x8922, 4);
my $name = shift;

socket(my $device, $AF_PACKET, $SOCK_DGRAM, unpack("S", pack("n", $ETH_P_ALL))) or die "no packet socket: $!";
my $request = pack("a16 i x20", $name, 0);
ioctl($device, $SIOCGIFINDEX, $request) or die "$name: $!";
my $index = unpack("x16 i", $request);
sub place { return pack("S n i S C C a8", $AF_PACKET, shift, $index, 0, 0, 0, ""); }
bind($device, place($ETH_P_ALL)) or die "$name: $!";

# UDP over IPv4 from 198.18.0.1 to 198.18.1.1, with a checksum that nobody looks at; its data says which it is.
sub marker {
  my ($number) = @_;
  my $header = pack("C C n n n C C n a4 a4", 0x45, 0, 32, 0, 0x4000, 64, 17, 0, pack("C4", 198, 18, 0, 1), pack("C4", 198, 18, 1, 1));
  my $sum = 0;
  $sum += $_ for unpack("n*", $header);
  $sum = ($sum & 0xffff) + ($sum >> 16) while $sum > 0xffff;
  substr($header, 10, 2) = pack("n", ~$sum & 0xffff);
  return $header . pack("n n n n N", 1, 1, 12, 1, $number);
}

sub put {
  my ($bytes) = @_;
  my $protocol = length($bytes) > 0 && ord($bytes) >> 4 == 6 ? $ETH_P_IPV6 : $ETH_P_IP;
  send($device, $bytes, 0, place($protocol));
}

# Is there a packet, or will there be one within so many seconds?
sub is_there {
  my ($seconds) = @_;
  my $ready = "";
  vec($ready, fileno($device), 1) = 1;
  return select($ready, undef, undef, $seconds) > 0;
}

# Takes the next packet: whether it is the marker of this number, and the packet if the translator wrote it and it is no marker.
sub take {
  my ($number) = @_;
  my $from = recv($device, my $bytes, 65536, 0);
  defined $from or die "$name: $!";
  return (0, undef) if unpack("x10 C", $from) == $OUTGOING;
  my $is_marker = length($bytes) == 52 && substr($bytes, 20, 4) eq pack("C4", 198, 18, 0, 1);
  return ($is_marker && unpack("N", substr($bytes, 48, 4)) == $number, $is_marker ? undef : $bytes);
}

# Until the translator has opened the device, packets for it are lost.
my ($up, $tries) = (0, 0);
until ($up) {
  die "the translator does not translate" if $tries++ > 400;
  put(marker(0xffffffff));
  ($up) = take(0xffffffff) while !$up && is_there(0.05);
}
# What is too long for the translator must come to it.
ioctl($device, $SIOCSIFMTU, pack("a16 i x20", $name, 9000)) or die "$name: $!";

$| = 1;
my $number = 0;
while (my $line = <STDIN>) {
  my ($hex) = $line =~ /^([0-9a-f]*)$/ or die "no packet: $line";
  put(pack("H*", $hex));
  put(marker($number));
  my $over = 0;
  until ($over) {
    is_there(20) or die "the translator does not translate";
    ($over, my $bytes) = take($number);
    print "$number ", unpack("H*", $bytes), "\n" if defined $bytes;
  }
  $number++;
}
