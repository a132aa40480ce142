use super::*;

fn answered(status: u16, code: &str, message: &str) -> Facts {
    Facts {
        way: Way::Answered,
        status: Some(status),
        code: (!code.is_empty()).then(|| code.to_owned()),
        message: (!message.is_empty()).then(|| message.to_owned()),
        region: None,
        assuming: false,
    }
}

const ASKED: Asked<'_> = Asked { action: "s3:GetObject", subject: "s3://bucket/key", role: None };

#[test]
fn codes_and_statuses_mean_what_aws_says() {
    let cases = [
        (403, "AccessDenied", "", Kind::Denied),
        (400, "AccessDeniedException", "", Kind::Denied),
        (403, "", "", Kind::Denied),
        (503, "SlowDown", "", Kind::Throttled),
        (400, "ThrottlingException", "Rate exceeded", Kind::Throttled),
        (400, "TooManyRequestsException", "", Kind::Throttled),
        (429, "", "", Kind::Throttled),
        (403, "RegionDisabledException", "", Kind::RegionDisabled),
        (403, "OptInRequired", "", Kind::RegionDisabled),
        (400, "ExpiredToken", "", Kind::CredentialsExpired),
        (403, "ExpiredTokenException", "", Kind::CredentialsExpired),
        (403, "InvalidAccessKeyId", "", Kind::CredentialsRefused),
        (400, "UnrecognizedClientException", "", Kind::CredentialsRefused),
        (403, "InvalidSignatureException", "does not match", Kind::CredentialsRefused),
        (403, "InvalidSignatureException", "Signature expired: 2026 is now earlier", Kind::ClockSkew),
        (403, "RequestTimeTooSkewed", "", Kind::ClockSkew),
        (404, "NoSuchKey", "", Kind::NotFound),
        (404, "NoSuchBucket", "", Kind::NotFound),
        (404, "", "", Kind::NotFound),
        (400, "TargetNotFoundException", "", Kind::NotFound),
        (400, "AWSOrganizationsNotInUseException", "", Kind::NoOrganization),
        (400, "ServiceException", "", Kind::ServerError),
        (301, "PermanentRedirect", "", Kind::WrongRegion),
        (400, "AuthorizationHeaderMalformed", "the region 'a' is wrong; expecting 'b'", Kind::WrongRegion),
        (412, "PreconditionFailed", "", Kind::Changed),
        (403, "InvalidObjectState", "", Kind::Archived),
        (500, "InternalError", "", Kind::ServerError),
        (503, "ServiceUnavailable", "", Kind::ServerError),
        (502, "", "<html>", Kind::ServerError),
        (200, "", "unexpected end of the document", Kind::Transient),
        (400, "InvalidRequest", "", Kind::Other),
        (418, "", "", Kind::Other),
    ];
    for (status, code, message, kind) in cases {
        assert_eq!(Kind::of(&answered(status, code, message)), kind, "{status} {code} {message}");
    }
}

#[test]
fn a_call_without_an_answer_is_transient_and_one_without_credentials_is_not() {
    let facts = |way| Facts { way, status: None, code: None, message: None, region: None, assuming: false };
    assert_eq!(Kind::of(&facts(Way::NoAnswer)), Kind::Transient);
    assert_eq!(Kind::of(&facts(Way::NotSent)), Kind::Other);
    assert_eq!(Kind::of(&facts(Way::NoCredentials)), Kind::NoCredentials);
    assert!(Kind::NoCredentials.ends_all() && !Kind::Transient.ends_all() && !Kind::Denied.ends_all());
}

#[test]
fn what_is_denied_names_the_action_that_is_missing_and_the_role() {
    let role = "arn:aws:iam::123456789012:role/R".parse().expect("a role");
    let message = "User: arn:aws:sts::1:assumed-role/R/x is not authorized to perform: kms:Decrypt on resource: k";
    let failure = Failure::of(&answered(403, "AccessDenied", message), Asked { role: Some(&role), ..ASKED });
    assert_eq!(&*failure.action, "kms:Decrypt");
    let said = failure.to_string();
    assert!(said.starts_with("access was denied: kms:Decrypt on s3://bucket/key as arn:aws:iam::"), "{said}");
    let plain = Failure::of(&answered(403, "AccessDenied", "Access Denied"), ASKED).to_string();
    assert_eq!(plain, "access was denied: s3:GetObject on s3://bucket/key (AccessDenied: Access Denied)");
}

#[test]
fn a_role_that_may_not_be_assumed_is_denied_and_absent_credentials_are_said() {
    let denied = ErrorMetadata::builder().code("AccessDenied").message("no").build();
    let denied = Failure::of(&Facts::of_credentials(&CredentialsError::provider_error(denied)), ASKED);
    assert_eq!((denied.kind, &*denied.action), (Kind::Denied, "sts:AssumeRole"));
    let expired = CredentialsError::provider_error("ExpiredTokenException: the token has expired");
    assert_eq!(Failure::of(&Facts::of_credentials(&expired), ASKED).kind, Kind::CredentialsExpired);
    let none = Failure::of(&Facts::of_credentials(&CredentialsError::not_loaded_no_source()), ASKED);
    assert_eq!((none.kind, &*none.action), (Kind::NoCredentials, "s3:GetObject"));
}

#[test]
fn a_message_is_one_line_of_sane_length() {
    let failure = Failure::of(&answered(400, "X", &format!("a\n\tb {}", "é".repeat(500))), ASKED);
    let message = failure.message.unwrap_or_default();
    assert!(message.starts_with("a b é") && message.ends_with('…'), "{message}");
    assert_eq!(message.chars().count(), MESSAGE_CHARACTERS + 1);
}

#[test]
fn a_failure_that_ends_everything_says_what_to_do() {
    let redirected = Facts { region: Some("eu-west-1".to_owned()), ..answered(301, "PermanentRedirect", "") };
    let cases = [
        (
            redirected,
            "it is in another Region: s3:GetObject on s3://bucket/key (PermanentRedirect); set --aws-region eu-west-1",
        ),
        (
            answered(301, "", ""),
            "it is in another Region: s3:GetObject on s3://bucket/key; set --aws-region to its Region",
        ),
        (
            answered(404, "NoSuchBucket", ""),
            "it was not found: s3:GetObject on s3://bucket/key (NoSuchBucket); check the name",
        ),
        (
            answered(503, "ServiceUnavailable", ""),
            "not reachable: server error: s3:GetObject on s3://bucket/key (ServiceUnavailable); try again later",
        ),
    ];
    for (facts, words) in cases {
        assert_eq!(Failure::of(&facts, ASKED).explained(), words);
    }
}
