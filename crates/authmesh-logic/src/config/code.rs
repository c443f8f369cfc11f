//! The codes of configuration problems: what each one means and how grave it is.

use core::fmt;

/// How grave a problem is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// The configuration is refused.
    Error,
    /// It is taken, and something in it is probably not meant.
    Warning,
    /// It is taken, and something in it is worth knowing.
    Info,
}

impl Severity {
    /// The word used in reports and JSON.
    #[must_use]
    pub const fn word(self) -> &'static str {
        match self {
            Self::Error => "error",
            Self::Warning => "warning",
            Self::Info => "info",
        }
    }
}

macro_rules! codes {
    ($($text:literal $name:ident $severity:ident $meaning:literal;)*) => {
        /// What is wrong, as a word that scripts compare.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub enum Code {
            $(
                #[doc = concat!("`", $text, "`: ", $meaning)]
                $name,
            )*
        }

        impl Code {
            /// Every code, in the order of their numbers.
            pub const ALL: &'static [Self] = &[$(Self::$name),*];

            /// The code as printed: `AM-C001`.
            #[must_use]
            pub const fn text(self) -> &'static str {
                match self { $(Self::$name => $text,)* }
            }

            /// How grave it is, unless the problem says otherwise.
            #[must_use]
            pub const fn severity(self) -> Severity {
                match self { $(Self::$name => Severity::$severity,)* }
            }

            /// What it means, in one sentence.
            #[must_use]
            pub const fn meaning(self) -> &'static str {
                match self { $(Self::$name => $meaning,)* }
            }
        }
    };
}

codes! {
    "AM-C001" UnknownKey Error "A key or table that means nothing here.";
    "AM-C002" Duplicate Error "A key or table is written twice.";
    "AM-C003" WrongType Error "A value of another type is wanted.";
    "AM-C004" BadAddress Error "A text is no address of the wanted kind.";
    "AM-C005" NotAllowed Error "A value is none of those allowed, or outside their range.";
    "AM-C006" BadDuration Error "A text is no duration, or a duration lacks its unit.";
    "AM-C007" Missing Error "A key or table is needed and not there.";
    "AM-C008" Syntax Error "The text is not TOML.";
    "AM-C009" NotUtf8 Error "The file is not UTF-8.";
    "AM-C010" Version Error "The version of the format is missing or not understood.";
    "AM-C020" UnknownName Error "A service or listener is named that does not exist.";
    "AM-C021" AddressTwice Error "One address is used twice.";
    "AM-C022" NameTwice Error "One name is used twice.";
    "AM-C023" NoneOfThem Error "One of several keys is needed and none is there, like `endpoints` or `discover`.";
    "AM-C024" MoreThanOne Error "Keys that exclude one another stand together, like `endpoints` and `discover`.";
    "AM-C025" BadSpiffeId Error "A text is no SPIFFE ID.";
    "AM-C026" DomainWithoutBundle Error "A trust domain is named for which there is no bundle.";
    "AM-C027" WildcardInside Error "A wildcard stands where none is understood.";
    "AM-C030" InlineSecret Error "A secret stands in the file instead of a reference to it.";
    "AM-C031" EnvironmentSyntax Error "A text holds `${…}`, which is never replaced.";
    "AM-C032" VariableUnset Error "The environment variable or credential of a secret is not set.";
    "AM-C033" SecretEmpty Error "A secret is empty or cannot be read.";
    "AM-C034" SecretReadable Error "Others than its owner may read or write the file of a secret.";
    "AM-C035" FileWritable Error "Everybody on the machine may write a file of the configuration.";
    "AM-C040" SymmetricBesideJwks Error "A symmetric algorithm is allowed beside public keys.";
    "AM-C041" AlgorithmNone Error "`none` is named as an algorithm.";
    "AM-C042" AudiencesMissing Error "A token provider names no audiences.";
    "AM-C043" ProviderUnused Warning "A token provider is used by no rule.";
    "AM-C044" JwksNotHttps Error "Keys are fetched without TLS.";
    "AM-C050" AllowsEveryone Error "Everyone is let through.";
    "AM-C051" NoPolicy Error "Nothing says who may do what.";
    "AM-C052" NeverMatches Error "A rule or route can never match.";
    "AM-C053" Shadowed Warning "An allow rule is covered by a deny rule.";
    "AM-C054" PolicyTestFails Error "A policy test does not end as it says.";
    "AM-C056" Weaker Error "A setting would protect less than the one in force, and nobody accepted that.";
    "AM-C057" AcceptanceEnded Error "An acceptance of a weaker setting has ended, or ends too late.";
    "AM-C060" PermissiveTls Warning "A listener takes connections with and without TLS.";
    "AM-C061" AdminPublic Error "The door for people is open to other machines.";
    "AM-C062" AdminWithoutToken Error "The door for people is on TCP and asks for no token.";
    "AM-C063" PlaintextExposed Error "Connections from other machines would not be encrypted.";
    "AM-C070" UnsafeRetry Error "Requests are repeated that must not be sent twice.";
    "AM-C071" TriesExceedTimeout Warning "The attempts do not fit into the time-out.";
    "AM-C072" HeaderOverIdle Warning "A request head may take longer than a connection may be idle.";
    "AM-C073" ZeroIsNotOff Error "0 stands where it means neither nothing nor everything.";
    "AM-C074" NoEffect Error "A setting changes nothing beside the others.";
    "AM-C080" ReservedHeader Error "A header field is named that has a meaning of its own.";
    "AM-C081" TrustsEveryone Error "Every address is believed to be a proxy of ours.";
    "AM-C082" HostBits Warning "A network has bits set behind its prefix.";
    "AM-C090" NoSuchFile Error "A file does not exist or cannot be read.";
    "AM-C091" BadInclude Error "An included file has errors.";
    "AM-C092" IncludeCycle Error "Files include one another.";
    "AM-C093" IncludeOutside Error "An included file lies outside the folder of the main file.";
    "AM-C094" MainFileOnly Error "A section that belongs into the main file stands in an included one.";
    "AM-C095" ListenerMoves Info "A listener changes its address.";
    "AM-C099" NotEnforced Error "A setting is not enforced by this version, so it is not accepted.";
    "AM-N001" EndpointUnreached Warning "An endpoint takes no connection.";
    "AM-N002" HandshakeFails Warning "An endpoint does not prove who it must be, or refuses this mesh.";
    "AM-N003" NotSpoken Warning "An endpoint gives no answer in the protocol it is spoken to in.";
    "AM-N004" ClockDiffers Warning "The clock of an endpoint and the clock here say different times.";
    "AM-N005" CheckFails Warning "An endpoint does not pass the health check of its service.";
    "AM-N006" NotLookedAt Warning "Something on the network was not looked at.";
    "AM-T012" CertificateUnreadable Error "A file of certificates or revocation lists holds none that can be used.";
    "AM-T013" KeyMismatch Error "A private key does not belong to the certificate.";
    "AM-T014" KeyUnreadable Error "A key file holds no private key that can be used.";
    "AM-T020" KeyReadable Error "Others than its owner may read or write a private key.";
    "AM-T021" CertificateEnded Warning "A certificate or revocation list has ended, or does not hold yet.";
    "AM-T031" CertificateEnding Warning "A certificate ends soon.";
}

impl fmt::Display for Code {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.pad(self.text())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_stand_in_the_order_of_their_numbers() {
        assert!(Code::ALL.windows(2).all(|pair| pair[0].text() < pair[1].text()));
        assert!(Code::ALL.iter().all(|code| code.meaning().ends_with('.')));
    }
}
