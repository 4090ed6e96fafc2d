# Stands at both ends of a router: reads lines "in HEX" or "out HEX", sends each IP packet into the router's tun device of
# that name, and prints what comes out of either as "NUMBER DEVICE HEX", NUMBER being the line that it came of, from 0.
# After each packet it sends one that the router passes as it is, and waits for that: what comes out of a packet comes before it.
use strict;
use warnings;

my ($TUNSETIFF, $IFF_TUN, $IFF_NO_PI, $O_RDWR) = (0x400454ca, 1, 0x1000, 2);
my %device;
for my $name ("in", "out") {
  sysopen(my $file, "/dev/net/tun", $O_RDWR) or die "/dev/net/tun: $!";
  ioctl($file, $TUNSETIFF, pack("a16 s x22", $name, $IFF_TUN | $IFF_NO_PI)) or die "tun $name: $!";
  $device{$name} = $file;
}

# UDP without checksum from 198.18.0.1 to 198.18.1.1, which is routed to "out"; its data says which it is.
sub marker {
  my ($number) = @_;
  my $header = pack("C C n n n C C n a4 a4", 0x45, 0, 32, 0, 0, 64, 17, 0, pack("C4", 198, 18, 0, 1), pack("C4", 198, 18, 1, 1));
  my $sum = 0;
  $sum += $_ for unpack("n*", $header);
  $sum = ($sum & 0xffff) + ($sum >> 16) while $sum > 0xffff;
  substr($header, 10, 2) = pack("n", ~$sum & 0xffff);
  return $header . pack("n n n n N", 1, 1, 12, 0, $number);
}

sub send_to {
  my ($name, $bytes) = @_;
  # A packet that IP has no use for is refused by the device: then nothing comes of it.
  syswrite($device{$name}, $bytes);
}

# Is there a packet at a device, or will there be one within so many seconds?
sub is_there {
  my ($name, $seconds) = @_;
  my $ready = "";
  vec($ready, fileno($device{$name}), 1) = 1;
  return select($ready, undef, undef, $seconds) > 0;
}

# Takes the next packet of a device: whether it is the marker of this number, and the packet if it is one that was carried,
# neither a marker nor what the router itself tells its neighbours (MLD).
sub take {
  my ($name, $number) = @_;
  sysread($device{$name}, my $bytes, 65536) or die "$name: $!";
  my $is_marker = length($bytes) == 32 && substr($bytes, 12, 4) eq pack("C4", 198, 18, 0, 1);
  my $is_multicast = ord($bytes) >> 4 == 6 && ord(substr($bytes, 24)) == 0xff;
  return ($is_marker && unpack("N", substr($bytes, 28, 4)) == $number, $is_marker || $is_multicast ? undef : $bytes);
}

# Devices that have just come up lose packets at first.
my ($up, $tries) = (0, 0);
until ($up) {
  die "the router does not forward" if $tries++ > 400;
  send_to("in", marker(0xffffffff));
  ($up) = take("out", 0xffffffff) while !$up && is_there("out", 0.05);
}

$| = 1;
my $number = 0;
while (my $line = <STDIN>) {
  my ($name, $hex) = $line =~ /^(in|out) ([0-9a-f]*)$/ or die "no packet: $line";
  send_to($name, pack("H*", $hex));
  send_to("in", marker($number));
  my $over = 0;
  until ($over) {
    is_there("out", 20) or die "the router does not forward";
    ($over, my $bytes) = take("out", $number);
    print "$number out ", unpack("H*", $bytes), "\n" if defined $bytes;
  }
  while (is_there("in", 0)) {
    my ($none, $bytes) = take("in", $number);
    print "$number in ", unpack("H*", $bytes), "\n" if defined $bytes;
  }
  $number++;
}
