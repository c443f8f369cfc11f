//! Opens a token step by step: each step is a type, so that none can be left out.

use authmesh_logic::jwt::{
    Compact, Json, NumericDate, TokenClaims, TokenFault, TokenHeader, TokenPolicy, issuer_of,
    judge_claims, judge_header, judge_issuer,
};

use super::base64url::decoded;
use super::json;
use super::key_set::KeySet;

/// A token whose form is sound.
pub(super) struct Opened<'a> {
    signed: &'a str,
    header: Json,
    payload: Vec<u8>,
    signature: Vec<u8>,
}

/// A token that says it is of one issuer, and by which key that would be proved.
pub(super) struct Claimed<'a> {
    opened: &'a Opened<'a>,
    header: TokenHeader<'a>,
    payload: Json,
}

impl<'a> Opened<'a> {
    pub(super) fn of(token: &'a str, longest: usize) -> Result<Self, TokenFault> {
        let compact = Compact::of(token, longest)?;
        let bytes = |segment| decoded(segment).ok_or(TokenFault::Malformed);
        let (header, payload) = (bytes(compact.header)?, bytes(compact.payload)?);
        let signature = bytes(compact.signature)?;
        let header = json::read(&header).ok_or(TokenFault::MalformedHeader)?;
        Ok(Self { signed: compact.signed, header, payload, signature })
    }

    /// Whom it names as its issuer, unproved.
    pub(super) fn issuer(&self) -> Result<String, TokenFault> {
        issuer_of(&self.payload()?).map(str::to_owned)
    }

    /// Judges what can be judged without a key.
    pub(super) fn claimed(&self, policy: &TokenPolicy) -> Result<Claimed<'_>, TokenFault> {
        let header = judge_header(&self.header, policy)?;
        let payload = self.payload()?;
        judge_issuer(&payload, policy)?;
        Ok(Claimed { opened: self, header, payload })
    }

    fn payload(&self) -> Result<Json, TokenFault> {
        json::read(&self.payload).ok_or(TokenFault::MalformedPayload)
    }
}

impl Claimed<'_> {
    /// The name of the key that would prove it.
    pub(super) fn key_id(&self) -> Result<&str, TokenFault> {
        self.header.key_id.ok_or(TokenFault::MissingKeyId)
    }

    /// Judges the signature by these keys, and then what the token says.
    pub(super) fn prove(
        self,
        keys: &KeySet,
        policy: &TokenPolicy,
        now: NumericDate,
    ) -> Result<TokenClaims, TokenFault> {
        let key = keys.find(self.key_id()?)?;
        let Opened { signed, signature, .. } = self.opened;
        key.verify(self.header.algorithm, signed.as_bytes(), signature)?;
        judge_claims(self.payload, policy, now)
    }
}
