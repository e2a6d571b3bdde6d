//! Signed links: who holds one may answer one question until it expires, and nothing else.
//!
//! The signature is an HMAC-SHA-256 (RFC 2104) over application, request and expiry; the key lies in Secrets Manager and
//! never leaves the functions that ask and answer. That an answer counts once is the table's work, not the link's.

use domain::approval::Request;
use domain::ids::{AppId, RequestId};
use hmac::{Hmac, KeyInit, Mac};
use jiff::Timestamp;
use sha2::Sha256;
use std::fmt::Write;

/// Makes and checks links.
pub struct Links<'a> {
    mac: Hmac<Sha256>,
    base: &'a str,
}

/// What a valid link stands for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ticket {
    /// Application.
    pub app: AppId,
    /// Request.
    pub request: RequestId,
}

impl<'a> Links<'a> {
    /// Links to this address, signed with this key.
    #[expect(clippy::expect_used, reason = "HMAC takes a key of any length")]
    pub fn new(key: &[u8], base: &'a str) -> Self {
        Self { mac: Hmac::new_from_slice(key).expect("any length"), base }
    }

    /// The link to a request.
    pub fn to(&self, request: &Request) -> String {
        let until = request.expires_at.as_second();
        let (app, id) = (request.app.as_str(), request.id.as_str());
        let mut sign = String::new();
        for byte in self.signed(app, id, until).finalize().into_bytes() {
            // Writing to a String can't fail.
            let _always_ok = write!(sign, "{byte:02x}");
        }
        let query = form_urlencoded::Serializer::new(String::new())
            .append_pair("app", app)
            .append_pair("request", id)
            .append_pair("until", &until.to_string())
            .append_pair("sign", &sign)
            .finish();
        format!("{}/?{query}", self.base.trim_end_matches('/'))
    }

    /// What the query of a link stands for, if it was signed here and holds at this moment.
    ///
    /// # Errors
    /// One sentence for the person who opened it. It says the same for every kind of forgery.
    pub fn check(&self, query: &str, now: Timestamp) -> Result<Ticket, &'static str> {
        let mut fields: [Option<String>; 4] = [const { None }; 4];
        for (name, value) in form_urlencoded::parse(query.as_bytes()) {
            let at = ["app", "request", "until", "sign"].iter().position(|known| *known == name);
            if let Some(field) = at.and_then(|at| fields.get_mut(at)) {
                *field = Some(value.into_owned());
            }
        }
        let forged = "This link is not valid. Open it from the message again, whole.";
        let [Some(app), Some(request), Some(until), Some(sign)] = fields else { return Err(forged) };
        let until: i64 = until.parse().map_err(|_| forged)?;
        let sign = bytes(&sign).ok_or(forged)?;
        // Constant time.
        self.signed(&app, &request, until).verify_slice(&sign).map_err(|_| forged)?;
        if now.as_second() >= until {
            return Err("This link has expired. No answer means no: nothing was changed.");
        }
        Ok(Ticket { app: AppId::new(app), request: RequestId::new(request) })
    }

    /// Lengths go in before the texts, so that no two pairs of texts give the same bytes.
    fn signed(&self, app: &str, request: &str, until: i64) -> Hmac<Sha256> {
        let mut mac = self.mac.clone();
        mac.update(b"maintainer approval link v1");
        for part in [app, request] {
            mac.update(&u64::try_from(part.len()).unwrap_or(u64::MAX).to_be_bytes());
            mac.update(part.as_bytes());
        }
        mac.update(&until.to_be_bytes());
        mac
    }
}

fn bytes(hex: &str) -> Option<Vec<u8>> {
    if hex.len() != 64 || !hex.bytes().all(|byte| byte.is_ascii_hexdigit()) {
        return None;
    }
    (0..32).map(|at| u8::from_str_radix(hex.get(2 * at..2 * at + 2)?, 16).ok()).collect()
}

#[cfg(test)]
mod tests;
