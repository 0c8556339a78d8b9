#!/usr/bin/perl
# Perl's verdicts of patterns. Standard input: lines "HEX HEX": a pattern and a value; an answer for each: 1 the
# value matches from its first to its last character, 0 it does not, x the pattern does not compile. Both are UTF-8; what
# is not is answered with u.
use strict;
no warnings; # of patterns that are odd
use Encode qw(decode FB_CROAK);

while (my $line = <STDIN>) {
    chomp $line;
    my ($pattern, $value) = map { pack 'H*', $_ } split / /, $line, 2;
    my ($p, $v) = eval { (decode('UTF-8', $pattern, FB_CROAK), decode('UTF-8', $value, FB_CROAK)) };
    if ($@) {
        print "u\n";
        next;
    }
    my $compiled = eval { qr/\A(?:$p)\z/a };
    my $alone = eval { qr/$p/a };
    if (!defined $compiled || !defined $alone) {
        print "x\n";
        next;
    }
    print $v =~ $compiled ? "1\n" : "0\n";
}
