"""Which URLs may be fetched by their text alone, and under which key they are known."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from celebcollect.domain.text import MAX_URL_CHARS
from celebcollect.web import urls
from celebcollect.web.refusals import joined
from celebcollect.web.request_target import request_target

PRIVATE_ADDRESSES = [
    "http://127.0.0.1/x.jpg",
    "http://127.255.255.254/",
    "http://2130706433/",
    "http://0x7f000001/",
    "http://017700000001/",
    "http://0177.0.0.1/",
    "http://0x7f.0.0.0x1/",
    "http://127.1/",
    "http://127.0.1/",
    "http://0/",
    "http://0.0.0.0/",
    "http://10.1.2.3/",
    "http://172.16.0.1/",
    "http://192.168.1.1/",
    "http://169.254.169.254/latest/meta-data/",
    "http://100.100.100.200/",
    "http://168.63.129.16/",
    "http://192.0.0.192/",
    "http://198.18.0.1/",
    "http://192.88.99.1/",
    "http://224.0.0.1/",
    "http://255.255.255.255/",
    "http://[::]/",
    "http://[::1]/",
    "http://[0:0:0:0:0:0:0:1]/",
    "http://[::ffff:127.0.0.1]/",
    "http://[::ffff:7f00:1]/",
    "http://[::127.0.0.1]/",
    "http://[64:ff9b::7f00:1]/",
    "http://[64:ff9b:1::7f00:1]/",
    "http://[2002:7f00:1::]/",
    "http://[2001:0:7f00:1::]/",
    "http://[fe80::1]/",
    "http://[fd00:ec2::254]/",
    "http://[ff02::1]/",
    "http://[2001:db8::1]/",
    "http://１２７.０.０.１/",
    "http://①②⑦.0.0.1/",
    "http://127。0。0。1/",
    "http://127.0.0.1./",
    "http://%31%32%37.0.0.1/",
    "http:\\\\127.0.0.1\\x.jpg",
    "http:127.0.0.1/",
    "http://12\t7.0.0.1/",
    " http://0x7F.1",
    "http://127.0.0.1:80\\",
]

REFUSED = [
    *((url, "private_address") for url in PRIVATE_ADDRESSES),
    ("http://localhost/", "private_name"),
    ("http://LOCALHOST./", "private_name"),
    ("http://images.localhost/", "private_name"),
    ("http://printer.local/", "private_name"),
    ("http://metadata.google.internal/", "private_name"),
    ("http://router.home.arpa/", "private_name"),
    ("http://intranet/", "private_name"),
    ("http://user@example.com/", "userinfo"),
    ("http://example.com@127.0.0.1/", "userinfo"),
    ("http://user:secret@example.com/", "userinfo"),
    ("http://127.0.0.1%2f@example.com/", "userinfo"),
    ("ftp://example.com/x.jpg", "not_http"),
    ("file:///etc/passwd", "not_http"),
    ("data:image/png;base64,AAAA", "not_http"),
    ("javascript:alert(1)", "not_http"),
    ("gopher://example.com/", "not_http"),
    ("//example.com/x.jpg", "not_http"),
    ("x-raw-image:///abc", "not_http"),
    ("http://example.com:22/", "bad_port"),
    ("http://example.com:6667/", "bad_port"),
    ("http://example.com:0/", "bad_port"),
    ("http://example.com:65536/", "malformed_url"),
    ("http://example.com:8o/", "malformed_url"),
    ("http://", "malformed_url"),
    ("x.jpg", "malformed_url"),
    ("", "malformed_url"),
    ("http://[::1", "malformed_url"),
    ("http://[gggg::1]/", "malformed_url"),
    ("http://1.2.3.4.5/", "malformed_url"),
    ("http://256.1.1.1/", "malformed_url"),
    ("http://08.8.8.8/", "malformed_url"),
    ("http://a..example.com/", "malformed_url"),
    ("http://exa mple.com/", "malformed_url"),
    ("http://[fe80::1%25eth0]/", "malformed_url"),
    ("http://a!b.com/", "malformed_url"),
    ("http://user@127.0.0.1\\@example.com/", "userinfo"),
    (" javascript:alert(1)", "not_http"),
    ("https://lookaside.fbsbx.com/lookaside/crawler/media/", "crawlers_only"),
    ("https://lookaside.fbsbx.com/lookaside/crawler/media/?media_id=1", "crawlers_only"),
    ("https://LOOKASIDE.instagram.com./seo/google_widget/crawler/?media_id=1", "crawlers_only"),
    ("https://p16-sign-va.tiktokcdn.com/o/a~c5.jpeg?x-expires=1600000000&x-s=b", "expired_link"),
    ("https://scontent.cdninstagram.com/v/a.jpg?stp=dst&oe=5F5E1000", "expired_link"),
    ("http://example.com/\ud800", "malformed_url"),
    ("http://" + "a" * 64 + ".com/", "malformed_url"),
    ("http://example.com/" + "a" * MAX_URL_CHARS, "too_long"),
]


@pytest.mark.parametrize(("url", "reason"), REFUSED, ids=[repr(url)[:60] for url, _ in REFUSED])
def test_a_url_that_must_not_be_fetched_is_refused_with_its_reason(url: str, reason: str) -> None:
    """Every trick gets the word under which it is counted."""
    found = urls.refusal(url, allow_private=False)

    assert found == reason


@pytest.mark.parametrize(
    "url",
    [
        "https://upload.wikimedia.org/wikipedia/commons/a/ab/Foo_(bar).jpg",
        "http://example.com:8080/x.jpg?size=1#part",
        "http://8.8.8.8/x.jpg",
        "http://134744072/x.jpg",
        "http://[2606:4700:4700::1111]/x.jpg",
        "https://bücher.example/größe é.jpg",
        "https://my_bucket.s3.amazonaws.com/x.jpg",
        "HTTPS://Example.COM./x.jpg",
        "http://123.example.com/x.jpg",
        "http://example.com/a@b.jpg",
        "http://example.com/?next=http://127.0.0.1/",
        "http://@example.com/",
        "http:///example.com/x.jpg",
        "http:/example.com/x.jpg",
        "http://example.com\\@127.0.0.1/",
        " http://example.com/\n",
        "http://💩.la/x.jpg",
        "https://a_b-.example.com/x.jpg",
        "https://p16-sign-va.tiktokcdn.com/o/a~c5.jpeg?x-expires=99999999999&x-s=b",
        "https://p16-sign-va.tiktokcdn.com/o/a~c5.jpeg?x-expires=soon",
        "https://scontent.cdninstagram.com/v/a.jpg?oe=FFFFFFFF",
        "https://example.com/a.jpg?x-expires=1600000000",
        "https://xlookaside.fbsbx.com/a.jpg",
    ],
)
def test_an_ordinary_url_is_let_through(url: str) -> None:
    """Unusual but honest addresses of the public web are not refused."""
    assert urls.refusal(url, allow_private=False) is None


@pytest.mark.parametrize(
    "url",
    [
        *PRIVATE_ADDRESSES[:5],
        "http://localhost:8000/x.jpg",
        "http://intranet/x.jpg",
        "http://[::1]:8000/",
    ],
)
def test_private_addresses_are_let_through_where_the_user_allows_them(url: str) -> None:
    """`allow_private_addresses` opens private addresses and names, in every form."""
    assert urls.refusal(url, allow_private=True) is None


@pytest.mark.parametrize(
    "url", ["http://a@localhost/", "ftp://localhost/", "http://localhost:25/", "http://[::1"]
)
def test_allowing_private_addresses_opens_nothing_else(url: str) -> None:
    """Userinfo, other schemes, ports of other protocols and nonsense stay refused."""
    assert urls.refusal(url, allow_private=True)


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("HTTP://Example.com:80/a.jpg#top", "http://example.com/a.jpg"),
        ("https://example.com.:443/a.jpg", "https://example.com/a.jpg"),
        ("https://example.com:8443/a.jpg", "https://example.com:8443/a.jpg"),
        ("https://user:pw@example.com/a.jpg", "https://example.com/a.jpg"),
        ("https://example.com", "https://example.com/"),
        ("https://example.com/a.jpg?b=2&a=1", "https://example.com/a.jpg?a=1&b=2"),
        ("https://example.com/x/../a%2djpg", "https://example.com/a-jpg"),
        ("https://bücher.example/é.jpg", "https://xn--bcher-kva.example/%C3%A9.jpg"),
        ("https://straße.example/", "https://xn--strae-oqa.example/"),
        ("http://0x08080808/a.jpg", "http://8.8.8.8/a.jpg"),
        ("http://[2606:4700:0::1111]:80/", "http://[2606:4700::1111]/"),
        ("http://example.com:/a.jpg", "http://example.com/a.jpg"),
        ("http://example.com/%E9.jpg?b=%E9", "http://example.com/%E9.jpg?b=%E9"),
        ("http://example.com/a\\b.jpg", "http://example.com/a/b.jpg"),
        ("http://example.com/a|b.jpg?x=1;2", "http://example.com/a|b.jpg?x=1%3B2"),
        ("http://example.com/a//b/../c?", "http://example.com/a//c"),
        ("http://ex_a.com/é/%2e%2e/ü?q=ü&a=1#f", "http://ex_a.com/%C3%BC?a=1&q=%C3%BC"),
        ("https://example.com/a%2Fb?z&y", "https://example.com/a%2Fb?y=&z="),
        ("http://example.com/a'b\"c.jpg", "http://example.com/a'b%22c.jpg"),
    ],
)
def test_two_spellings_of_one_url_have_one_key(url: str, key: str) -> None:
    """Spelling plays no role; these keys never change, stored pictures are known by them."""
    assert urls.canonical(url) == key


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("http://example.com", "http://example.com/"),
        (
            "HTTP://Example.com:80/a%20b c.jpg?x=a b&y=%41#top",
            "http://example.com/a%20b%20c.jpg?x=a%20b&y=%41",
        ),
        ("https://bücher.example:444/é.jpg", "https://xn--bcher-kva.example:444/%C3%A9.jpg"),
        ("http://example.com/a/./b/../c.jpg", "http://example.com/a/c.jpg"),
        ("http://example.com/../../a.jpg", "http://example.com/a.jpg"),
        ("http://example.com/a/..", "http://example.com/"),
        ("http://example.com/a/%2E%2e/b", "http://example.com/b"),
        ("http://example.com/a.b/.c/..d", "http://example.com/a.b/.c/..d"),
        ("http://example.com/100%.jpg", "http://example.com/100%.jpg"),
        ("http://[2606:4700::1111]:8080/x", "http://[2606:4700::1111]:8080/x"),
        ("http://134744072/x", "http://8.8.8.8/x"),
        ("http:\\\\example.com\\a\\b.jpg?x\\y", "http://example.com/a/b.jpg?x\\y"),
        ("  http://exa\tmple.com/a\r\nb.jpg ", "http://example.com/ab.jpg"),
        ("http://example.com/\udce9t\udce9.jpg?\udcff", "http://example.com/%E9t%E9.jpg?%FF"),
        ("http://example.com/%e9.jpg", "http://example.com/%e9.jpg"),
        ("http://example.com./a.jpg", "http://example.com/a.jpg"),
        ("http://example.com\\@127.0.0.1/", "http://example.com/@127.0.0.1/"),
        ("http://💩.la/💩", "http://xn--ls8h.la/%F0%9F%92%A9"),
        ("http://a_b.example.com/x", "http://a_b.example.com/x"),
        ("http://ex%41mple.com/x", "http://example.com/x"),
        ("http:example.com/x", "http://example.com/x"),
        ("http://８.８.８.８/x", "http://8.8.8.8/x"),
    ],
)
def test_what_is_sent_is_what_a_browser_would_send(url: str, sent: str) -> None:
    """Blanks and other scripts are escaped once, dot segments resolved, the fragment stays here."""
    assert request_target(url).url == sent


@pytest.mark.slow
@given(st.from_regex(r"https?://[a-z0-9._-]{1,30}(/[A-Za-z0-9._~-]{0,9}){0,4}", fullmatch=True))
@settings(max_examples=300)
def test_the_short_way_leads_to_the_same_judgement(url: str) -> None:
    """A URL that is canonical as it stands is judged like its twin that is taken apart."""
    twin = url.replace("http", "HTTP", 1)

    for allow_private in (False, True):
        assert urls.refusal(url, allow_private=allow_private) == urls.refusal(
            twin, allow_private=allow_private
        )
    if urls.refusal(url, allow_private=True) is None:
        assert urls.canonical(url) == urls.canonical(twin)


def test_different_pictures_have_different_keys() -> None:
    """Scheme, host, port, path and query all tell pictures apart."""
    found = [
        "http://a.com/",
        "https://a.com/",
        "http://b.com/",
        "http://a.com:81/",
        "http://a.com/x",
        "http://a.com/X",
        "http://a.com/?x",
    ]

    assert len({urls.canonical(url) for url in found}) == len(found)


@pytest.mark.slow
@given(
    st.text(max_size=200)
    | st.builds("http://{}".format, st.text(max_size=200))
    | st.builds("https://example.com/{}".format, st.text())
)
def test_no_text_at_all_breaks_the_judgement(url: str) -> None:
    """Whatever is let through has a key, and the key of a key is the key."""
    if urls.refusal(url, allow_private=False) is None:
        key = urls.canonical(url)

        assert urls.canonical(key) == key
        assert urls.refusal(key, allow_private=False) is None
        assert urls.host_of(key) == urls.host_of(url)


@pytest.mark.parametrize(
    ("location", "leads_to"),
    [
        ("\\b\\c.jpg", "http://example.com/b/c.jpg"),
        ("//other.example/x", "http://other.example/x"),
        ("\\\\127.0.0.1\\x", "http://127.0.0.1/x"),
        ("  ../y z.jpg\t", "http://example.com/y%20z.jpg"),
        ("?q=1#f", "http://example.com/a/b?q=1#f"),
        ("\xe9t\xe9.jpg", "http://example.com/a/%E9t%E9.jpg"),
        ("\xc3\xa9\xe9.jpg", "http://example.com/a/%C3%A9%E9.jpg"),
        ("https:c.jpg", "https://c.jpg/"),
        ("HTTP:c.jpg", "http://example.com/a/c.jpg"),
        ("%2e%2E/c.jpg", "http://example.com/c.jpg"),
        ("http://0x7f.1/x", "http://127.0.0.1/x"),
    ],
)
def test_a_location_leads_where_it_leads_browsers(location: str, leads_to: str) -> None:
    """Read byte by byte, relative to the URL that was asked for."""
    assert joined("http://example.com/a/b", location) == leads_to


@pytest.mark.parametrize(
    ("url", "key"),
    [
        ("http://💩.la/x", "http://xn--ls8h.la/x"),
        (" http://example.com/a.jpg\n", "http://example.com/a.jpg"),
        ("http:\\\\example.com\\a.jpg", "http://example.com/a.jpg"),
    ],
)
def test_a_url_that_was_refused_has_the_key_of_what_is_asked_for(url: str, key: str) -> None:
    """So that one picture under an odd and a plain spelling is one."""
    assert urls.canonical(url) == key


@pytest.mark.parametrize(
    ("url", "shown"),
    [
        ("https://user:s3cret@host.example/x?key=s3cret", "https://host.example/x"),
        ("https:\\\\user:s3cret@host.example/x", "https://host.example/x"),
        ("https:/user:s3cret@host.example/x", "https://host.example/x"),
        ("https:user:s3cret@host.example:8443/x", "https://host.example:8443/x"),
        ("ht\ntps://user:s3cret@host.example/x", "https://host.example/x"),
        ("http://127.0.0.1:4444/wd", "http://127.0.0.1:4444/wd"),
        ("http://[::1]:4444/wd", "http://[::1]:4444/wd"),
        ("user:s3cret@host.example/x", "an address that is none"),
        ("https://user:s3cret@/x", "an address that is none"),
        ("?", "an address that is none"),
    ],
)
def test_an_address_in_a_message_tells_no_secret(url: str, shown: str) -> None:
    """It is read as it would be asked for."""
    assert urls.shown_url(url) == shown
