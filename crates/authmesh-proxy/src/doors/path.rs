//! Cuts the path of a request into its segments.

/// The longest path, in segments.
const MOST_SEGMENTS: usize = 8;

/// The segments of a path, each decoded; `None` if there are too many or one is no text.
pub(crate) fn segments(path: &str) -> Option<Vec<String>> {
    let path = path.strip_prefix('/')?;
    if path.is_empty() {
        return Some(Vec::new());
    }
    let segments: Vec<_> = path.split('/').map(decoded).collect::<Option<_>>()?;
    (segments.len() <= MOST_SEGMENTS).then_some(segments)
}

/// Undoes percent-encoding (RFC 3986, 2.1).
fn decoded(segment: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(segment.len());
    let mut rest = segment.bytes();
    while let Some(byte) = rest.next() {
        if byte == b'%' {
            let mut digit = || char::from(rest.next()?).to_digit(16);
            bytes.push(u8::try_from(digit()? * 16 + digit()?).ok()?);
        } else {
            bytes.push(byte);
        }
    }
    String::from_utf8(bytes).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_decoded_segment_by_segment() {
        let cases = [
            ("/", Some(vec![])),
            ("/v1/status", Some(vec!["v1", "status"])),
            ("/v1/services/a%2Fb/instances", Some(vec!["v1", "services", "a/b", "instances"])),
            ("/v1/%zz", None),
            ("/v1/%f", None),
            ("/v1/%ff", None),
            ("/1/2/3/4/5/6/7/8/9", None),
        ];
        for (path, wanted) in cases {
            let wanted: Option<Vec<String>> =
                wanted.map(|segments| segments.into_iter().map(str::to_owned).collect());
            assert_eq!(segments(path), wanted, "{path}");
        }
    }
}
