/* Run a SavedModel without Python: saved_model FOLDER INPUT OUTPUT ROWS COLUMNS < float32 > float32
 *
 * INPUT and OUTPUT are names of nodes; the input is a matrix of ROWS x COLUMNS.
 */
#include <stdio.h>
#include <stdlib.h>
#include <tensorflow/c/c_api.h>

static void check(TF_Status* status) {
  if (TF_GetCode(status) != TF_OK) {
    fprintf(stderr, "%s\n", TF_Message(status));
    exit(1);
  }
}

int main(int count, char** words) {
  if (count != 6) return 2;
  const char* tags[] = {"serve"};
  int64_t shape[] = {atoi(words[4]), atoi(words[5])};
  TF_Status* status = TF_NewStatus();
  TF_Graph* graph = TF_NewGraph();
  TF_Session* session = TF_LoadSessionFromSavedModel(
      TF_NewSessionOptions(), NULL, words[1], tags, 1, graph, NULL, status);
  check(status);

  size_t bytes = shape[0] * shape[1] * sizeof(float);
  TF_Tensor* given = TF_AllocateTensor(TF_FLOAT, shape, 2, bytes);
  TF_Tensor* made = NULL;
  if (fread(TF_TensorData(given), 1, bytes, stdin) != bytes) return 3;
  TF_Output in = {TF_GraphOperationByName(graph, words[2]), 0};
  TF_Output out = {TF_GraphOperationByName(graph, words[3]), 0};
  TF_SessionRun(session, NULL, &in, &given, 1, &out, &made, 1, NULL, 0, NULL, status);
  check(status);
  fwrite(TF_TensorData(made), 1, TF_TensorByteSize(made), stdout);
  return 0;
}
