package tencent

import (
	"slices"
	"testing"

	"github.com/seed-7b870224/sluice/internal/vendors"
)

// documented lists every code of the product's pages by what it means on a
// mutation, written out in full and apart from the table of the adapter.
var documented = map[vendors.Kind]map[string][]string{
	vendors.Throttled: {"quota_exhausted": {
		"RequestLimitExceeded", "RequestLimitExceeded.UinLimitExceeded", "RequestLimitExceeded.IPLimitExceeded",
		"RequestLimitExceeded.GlobalRegionUinLimitExceeded", "RequestLimitExceeded.SomethingNew",
	}},
	vendors.Busy: {"instance_busy": {
		"ResourceInUse", "ResourceInUse.InstanceBeenLocked",
		"ResourceUnavailable.InstanceLockedError", "ResourceUnavailable.InstanceUnLockedError", "ResourceUnavailable.BackupLockedError",
		"LimitExceeded.ReplicationGroupLocked", "UnsupportedOperation.Inspection",
		"ResourceUnavailable.InstanceStatusAbnormal", "ResourceUnavailable.InstanceStateError", "ResourceUnavailable.InstanceStatusError",
	}},
	vendors.Ambiguous: {"outcome_unknown": {
		"InternalError", "InternalError.InternalError", "InternalError.DbOperationFailed", "InternalError.ExecHttpRequestError",
		"InternalError.ListInstancesError", "InternalError.NetWorkErr", "InternalError.SomethingNew",
		"FailedOperation", "FailedOperation.SystemError", "FailedOperation.CommitFlowError", "FailedOperation.RedoFlowFailed",
		"FailedOperation.ServiceAccessError", "FailedOperation.Unknown", "FailedOperation.SomethingNew",
		"ServiceUnavailable", "ResourceUnavailable", "ResourceUnavailable.CallOssError", "ResourceUnavailable.SomethingNew",
		"ResponseSizeLimitExceeded", "DryRunOperation", "Something.New", "somethingnew", "",
		// Codes are compared as they are written.
		"requestlimitexceeded", "AuthFailureX",
	}},
	vendors.Refused: {
		"instance_state": {
			"ResourceUnavailable.InstanceIsolated", "ResourceUnavailable.InstanceDeleted", "FailedOperation.PayFailed",
			"LimitExceeded", "LimitExceeded.ExceedUpperLimit", "ResourceInsufficient",
		},
		"backup_unusable": {
			"ResourceUnavailable.BackupStatusAbnormal", "ResourceUnavailable.BackupStatusInvalid", "ResourceUnavailable.BackupSpecError",
		},
		"backup_not_found": {"InvalidParameterValue.BackupNotExists"},
		"operation_unsupported": {
			"FailedOperation.UnSupportError", "ResourceUnavailable.InstanceNotSupportOperation",
			"UnsupportedOperation", "UnsupportedOperation.InstanceNotOperation",
		},
		"password_invalid": {
			"InvalidParameterValue.PasswordEmpty", "InvalidParameterValue.PasswordError", "InvalidParameterValue.PasswordRuleError",
		},
		"instance_not_found": {"ResourceNotFound", "ResourceNotFound.InstanceNotExists", "ResourceNotFound.InstanceNotFound"},
		"vendor_refused": {
			"InvalidParameter", "InvalidParameter.InvalidParameter", "InvalidParameter.EmptyParam", "InvalidParameter.IllegalParameterError",
			"InvalidParameterValue", "InvalidParameterValue.SomethingNew", "MissingParameter", "UnknownParameter", "InvalidAction",
			"InvalidRequest", "NoSuchProduct", "NoSuchVersion", "UnsupportedRegion", "UnsupportedProtocol", "RequestSizeLimitExceeded", "ActionOffline",
		},
	},
	vendors.Unauthorized: {"unauthorized": {
		"AuthFailure", "AuthFailure.InvalidAuthorization", "AuthFailure.InvalidSecretId", "AuthFailure.MFAFailure", "AuthFailure.SecretIdNotFound",
		"AuthFailure.SignatureExpire", "AuthFailure.SignatureFailure", "AuthFailure.TokenFailure", "AuthFailure.UnauthorizedOperation",
		"UnauthorizedOperation", "UnauthorizedOperation.NoCAMAuthed", "UnauthorizedOperation.UserNotInWhiteList",
		"IpInBlacklist", "IpNotInWhitelist",
		"InvalidParameter.PermissionDenied", "InternalError.InstanceOperatePermissionError", "InternalError.CamAuthOssResponseReturnCodeError",
	}},
}

// eachCode visits the documented codes.
func eachCode(visit func(code string, kind vendors.Kind, reason string)) {
	for kind, reasons := range documented {
		for reason, list := range reasons {
			for _, code := range list {
				visit(code, kind, reason)
			}
		}
	}
}

func TestCodes(t *testing.T) {
	t.Parallel()
	var covered []string
	eachCode(func(code string, kind vendors.Kind, reason string) {
		covered = append(covered, code)
		if got := classify(200, code, true); got != (class{kind, reason}) {
			t.Errorf("%q on a mutation is %v, want %v %s", code, got, kind, reason)
		}
		// A look-up has no effect, so that nothing about it is ambiguous.
		if kind == vendors.Ambiguous {
			kind, reason = vendors.Transient, "vendor_unavailable"
		}
		if got := classify(200, code, false); got != (class{kind, reason}) {
			t.Errorf("%q on a look-up is %v, want %v %s", code, got, kind, reason)
		}
	})
	for code := range codes {
		if !slices.Contains(covered, code) {
			t.Errorf("%q is in the table, but not in the list of this test", code)
		}
	}
}

// A status other than 200 is not the service's: nothing in such an answer shows
// that a mutation was not executed, except that the rate was exceeded.
func TestStatusOtherThan200(t *testing.T) {
	t.Parallel()
	for _, status := range []int{0, 201, 302, 400, 401, 403, 404, 429, 500, 502, 503, 504} {
		eachCode(func(code string, kind vendors.Kind, _ string) {
			want := vendors.Ambiguous
			if kind == vendors.Throttled || status == 429 && code == "" {
				want = vendors.Throttled
			}
			if got := classify(status, code, true); got.kind != want {
				t.Errorf("status %d with %q on a mutation is %v, want %v", status, code, got, want)
			}
			if got := classify(status, code, false); got.kind == vendors.Ambiguous {
				t.Errorf("status %d with %q on a look-up is ambiguous", status, code)
			}
		})
	}
}
