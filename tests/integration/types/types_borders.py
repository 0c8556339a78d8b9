"""What stands at the borders of the rules, of each type: asked under every seed, before what chance makes."""

L63 = b"a" * 63
DEEP = [b"[" * n + b"]" * n for n in (511, 512, 513)] + [b'{"a":' * n + b"1" + b"}" * n for n in (512, 513)]


def block(label, *lines):
    return b"\n".join((b"-----BEGIN " + label + b"-----", *lines, b"-----END " + label + b"-----", b""))


BORDERS = {
    "int": [b"0", b"-0", b"00", b"-", b"", b"9223372036854775807", b"9223372036854775808", b"-9223372036854775808",
            b"-9223372036854775809", b"+1", b"1.0", b"1e3", b"0x1", b" 1", b"1\n", b"\xd9\xa1"],
    "bool": [b"true", b"false", b"True", b"1", b"0", b"yes", b"", b"true\n", b"true\0"],
    "enum": [b"debug", b"info", b"", b"debug\ninfo", b"debug\0"],
    "port": [b"0", b"1", b"65535", b"65536", b"080", b"", b"-1", b"+1", b"80\n", b"4294967297", b"18446744073709551617"],
    "duration": [b"0", b"1", b"1s", b".5s", b"1.s", b".s", b"1h30m", b"1d", b"9223372036854775807ns", b"9223372036854775808ns",
                 b"2562047h47m16.854775807s", b"2562047h47m16.854775808s", b"1s1", b"1ss", b"s", b"1 s", b"1S", b"\xc2\xb5s",
                 b"1\xc2\xb5s", b"1\xce\xbcs", b"1\xb5s", b"-0", b"+1s"],
    "hostname": [L63, L63 + b"a", b".".join([L63] * 3 + [b"a" * 61]), b".".join([L63] * 3 + [b"a" * 62]), b"a.", b"a..",
                 b".a", b"", b".", b"a-b", b"-a", b"a-", b"a_b", b"1a", b"1", b"1.2.3.4", b"1.2.3.4.", b"1.2.3", b"256.1.1.1",
                 b"01.2.3.4", b"::", b"::1", b":::", b"1:2:3:4:5:6:7:8", b"1:2:3:4:5:6:7::", b"1:2:3:4:5:6:7:8:9", b"::1.2.3.4",
                 b"1::2::3", b"12345::", b"fe80::1%eth0", b"[::1]", b"b\xc3\xbccher.de", b"xn--bcher-kva.de"],
    "email": [b"a@b", b"a@b.c", b"@b", b"a@", b"a", b"a@@b", b"a.b@c", b".a@c", b"a.@c", b"a..b@c", b"a" * 64 + b"@b.c",
              b"a" * 65 + b"@b.c", b'"a b"@c.d', b"a@[127.0.0.1]", b"a@1.2.3.4", b"a@b.c.", b"a+b@c.d", b"a@-b.c",
              b"a@" + b".".join([L63] * 3) + b"." + b"b" * 60, b"a@" + b".".join([L63] * 3) + b"." + b"b" * 61],
    "url": [b"http://a", b"http:a", b"http:/a", b"http://", b"http:///a", b"http://:80", b"http://u@", b"file:///a", b"a:b", b"a:",
            b"a:?b", b"://a", b"1a://b", b"a", b"", b"//a", b"/a", b"http://a:65535", b"http://a:65536", b"http://a:", b"http://a:0",
            b"http://a:x", b"http://[::1]", b"http://[::1]:80", b"http://[::1]x", b"http://[::g]", b"http://[::", b"http://[v1.a]",
            b"http://[1::00.1.2.3]", b"http://1.2.3.4", b"http://256.1.1.1", b"http://a b", b"http://a/%", b"http://a/%4", b"http://a/%41",
            b"http://a/%4g", b"http://a?[", b"http://a#b#c", b"http://u:p@a", b"http://u:p@q@a", b"localhost:8080", b"localhost:8080/a",
            b"tel:+1", b"mailto:a@b", b"jdbc:postgresql://a/b", b"postgres://a,b/c", b"postgres://a:1,b:2/c", b"http://b\xc3\xbccher.de"],
    "regex": [b"", b"a", b"(", b")", b"[", b"]", b"*", b"a**", b"a{2,1}", b"a{65535}", b"a{65536}", b"\\", b"\\C", b"(?*ab)", b"(?<n>a)(?<n>b)",
              b"\\b+", b"\xff", b"\xc3\xa9", b"a{", b"a{b", b"\\x{110000}", b"(?i)a", b"(?<=a)b", b"[[:alpha:]]", b"\\p{L}", b"\\p{Nothing}"],
    "json": [b"", b" ", b"{}", b"[]", b"1", b'"a"', b"null", b"nul", b"NaN", b"-Infinity", b"01", b"1.", b".1", b"1e", b"-", b"[1,]",
             b"[,1]", b'{"a":1,}', b'{"a" 1}', b"{a:1}", b"['a']", b'"\t"', b'"\\x"', b'"\\u12"', b'"\\ud800"', b'"\xed\xa0\x80"',
             b'"\xff"', b'"\xc0\xaf"', b"\xef\xbb\xbf1", b"1 2", b"[1]x", b"[", b"]", b'"', b'{"a":1,"a":2}', b"1\0", b"\x0b1", *DEEP],
    "pem": [b"", block(b"A", b"AAAA"), block(b"A", b"AA=="), block(b"A", b"AA="), block(b"A", b"AB=="), block(b"A"), block(b"A", b""),
            block(b"", b"AAAA"), block(b"A", b"AAAA")[:-1], block(b"A", b"AAAA").replace(b"\n", b"\r\n"), b" " + block(b"A", b"AAAA"),
            block(b"A", b"A: b", b"", b"AAAA"), block(b"A", b"A: b", b"AAAA"), block(b"A", b"", b"AAAA"), block(b"A", b"AAAA", b"", b"AAAA"),
            b"text\n" + block(b"A", b"AAAA") + b"text", b"-----\n" + block(b"A", b"AAAA"), block(b"A", b"AAAA").replace(b"END A", b"END B"),
            block(b"A", b"AAAA") * 2, block(b"A", b"A" * 64, b"A" * 64), block(b"A", b"A" * 76, b"AAAA"), b"-----BEGIN A-----\n"],
    "base64": [b"", b"A", b"AA", b"AAA", b"AAAA", b"AA==", b"AA=", b"AAA=", b"AB==", b"AAB=", b"====", b"AAAA=", b"AAAA====", b"AA==AA==",
               b"A-_A", b"AAAA\n", b"AA AA", b"//+/", b"AAAA\0"],
    "string": [],
}
