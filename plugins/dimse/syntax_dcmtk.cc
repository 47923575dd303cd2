/* Transfer syntaxes of accepted contexts, those that DCMTK does not know among them.
 * SPDX-License-Identifier: MIT */
#include <dcmtk/dcmdata/dcxfer.h>
#include <dcmtk/dcmnet/lst.h>

#include "association_dcmtk.h"

/* DCMTK refuses every message in a context whose transfer syntax it does not know, though it reads
 * no data set of ours. For such a context it is told this one, which it knows and nobody stores in:
 * JPEG Extended, processes 3 and 5, retired. What was negotiated is in the request, where each
 * context of storage names it first.
 */
#define STAND_IN UID_JPEGProcess3_5TransferSyntax

static void admit(LST_HEAD **list)
{
    if (!*list) return;
    DUL_PRESENTATIONCONTEXT *context = (DUL_PRESENTATIONCONTEXT *)LST_Head(list);
    (void)LST_Position(list, context);
    for (; context; context = (DUL_PRESENTATIONCONTEXT *)LST_Next(list))
        if (*context->acceptedTransferSyntax &&
            DcmXfer(context->acceptedTransferSyntax).getXfer() == EXS_Unknown)
            OFStandard::strlcpy(context->acceptedTransferSyntax, STAND_IN,
                                sizeof context->acceptedTransferSyntax);
}

void association_admit_syntaxes(T_ASC_Association *as)
{
    /* DCMTK looks into the one as requestor, into the other as acceptor. */
    admit(&as->params->DULparams.requestedPresentationContext);
    admit(&as->params->DULparams.acceptedPresentationContext);
}

/* The first transfer syntax that was proposed for a context. */
static const char *first_proposal(T_ASC_Association *as, T_ASC_PresentationContextID number)
{
    LST_HEAD **list = &as->params->DULparams.requestedPresentationContext;

    if (!*list) return NULL;
    DUL_PRESENTATIONCONTEXT *context = (DUL_PRESENTATIONCONTEXT *)LST_Head(list);
    (void)LST_Position(list, context);
    while (context && context->presentationContextID != number)
        context = (DUL_PRESENTATIONCONTEXT *)LST_Next(list);
    if (!context || !context->proposedTransferSyntax) return NULL;
    DUL_TRANSFERSYNTAX *first = (DUL_TRANSFERSYNTAX *)LST_Head(&context->proposedTransferSyntax);
    return first ? first->transferSyntax : NULL;
}

const char *association_syntax(T_ASC_Association *as, T_ASC_PresentationContextID context,
                               std::string *own)
{
    T_ASC_PresentationContext accepted;
    const char *proposed;

    if (ASC_findAcceptedPresentationContext(as->params, context, &accepted).bad()) return NULL;
    *own = accepted.acceptedTransferSyntax;
    if (*own == STAND_IN && (proposed = first_proposal(as, context))) *own = proposed;
    return own->c_str();
}
